//! How the commands answer: what is wrong with one line or one argument is told in the form that was asked for.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

/// Runs the program on this input.
fn run(args: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_kopru"))
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap()
}

/// One line that was not UTF-8 ended the rest.
#[test]
fn a_line_that_is_no_text_is_told_and_the_rest_is_read() {
    let output = run(&["address", "-", "--type", "MESAJ", "--json"], b"0532 1\xff\r\n0532 123 45 67\r\n");
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0]["error"]["code"], "not_utf8");
    assert_eq!(lines[1..], [json!({"recipient": "+905321234567"})]);
}

/// With `--json` a mistake in the arguments was text.
#[test]
fn mistakes_in_arguments_are_json_where_json_is_asked_for() {
    let output = run(&["brand", "show", "x", "--json", "--lang", "tr"], b"");
    assert_eq!(output.status.code(), Some(2));
    let told: Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!(told["error"]["code"], "arguments");
    assert!(told["error"]["message"].as_str().unwrap().contains("x olamaz"), "{told}");
    let help = run(&["brand", "--help", "--json", "--lang", "tr"], b"");
    assert!(help.status.success());
    assert!(String::from_utf8(help.stdout).unwrap().contains("markaları"));
}
