//! The rule that an address needs 70 % of success: one that has less is refused, and let in again.

use std::net::IpAddr;

use iys_sandbox::{Sandbox, SandboxConfig, Scenario};
use reqwest::Client;
use serde_json::{Value, json};

use crate::world::{Reply, World, send};

/// Somebody who asks from an address of this machine's own; what he asks is answered with 401.
struct Caller(Client);

impl Caller {
    fn from(address: &str) -> Self {
        let address: IpAddr = address.parse().unwrap();
        Self(Client::builder().local_address(address).build().unwrap())
    }

    async fn ask(&self, world: &World) -> Reply {
        send(self.0.get(format!("{}/sps/600100/brands", world.base)).bearer_auth("nobody's")).await
    }
}

async fn world(rule: Value) -> World {
    let world = World::start().await;
    world.settings(json!({"perSecondLimit": null, "successRateMinimumCalls": 20})).await;
    world.settings(rule).await;
    world
}

async fn of(world: &World, address: &str) -> Value {
    world.control("GET", "/stats", Value::Null).await["addresses"][address].clone()
}

#[tokio::test]
async fn an_address_that_fails_too_often_is_refused_until_its_day_is_over() {
    let world = world(json!({"successRateRule": true, "successRateGraceSeconds": 0})).await;
    let (bad, good) = (Caller::from("127.0.0.2"), Caller::from("127.0.0.3"));
    for _ in 0..20 {
        assert_eq!(bad.ask(&world).await.status, 401, "below the smallest number of calls");
    }
    let refused = bad.ask(&world).await;
    assert_eq!((refused.status, refused.codes()), (403, vec![String::new()]), "{refused:?}");
    assert!(refused.body["errors"][0].get("code").is_none());
    let token = bad.0.post(format!("{}/oauth2/token", world.base)).body("{}");
    assert_eq!(send(token).await.status, 403, "whatever it asks");
    assert_eq!(good.ask(&world).await.status, 401, "another address");

    let told = of(&world, "127.0.0.2").await;
    assert_eq!(
        (&told["calls"], &told["failures"]),
        (&json!(20), &json!(20)),
        "what is refused is not counted"
    );
    assert_eq!(
        (&told["successRate"], &told["notice"], &told["refused"]),
        (&json!(0.0), &json!(true), &json!(true))
    );
    assert!(told["noticeDate"].is_string());
    let told = of(&world, "127.0.0.3").await;
    assert_eq!(
        (&told["calls"], &told["notice"], &told["refused"]),
        (&json!(1), &json!(false), &json!(false))
    );
    let all = world.control("GET", "/stats", Value::Null).await["last24Hours"].clone();
    assert_eq!((&all["calls"], &all["notice"]), (&json!(21), &json!(true)));

    world.advance("22h").await;
    assert_eq!(bad.ask(&world).await.status, 403);
    world.advance("2h").await;
    assert_eq!(bad.ask(&world).await.status, 401, "the day is over");
}

#[tokio::test]
async fn the_switch_lets_a_refused_address_in() {
    let world = world(json!({"successRateGraceSeconds": 0})).await;
    let bad = Caller::from("127.0.0.2");
    for _ in 0..25 {
        assert_eq!(bad.ask(&world).await.status, 401, "the rule is off unless it is wanted");
    }
    assert_eq!(of(&world, "127.0.0.2").await["refused"], false);
    world.settings(json!({"successRateRule": true})).await;
    assert_eq!(bad.ask(&world).await.status, 403);
    world.settings(json!({"successRateRule": false})).await;
    assert_eq!(bad.ask(&world).await.status, 401);
}

#[tokio::test]
async fn a_notice_comes_before_the_refusal() {
    let world = world(json!({"successRateRule": true})).await;
    let bad = Caller::from("127.0.0.2");
    for hour in 0..5 {
        for _ in 0..20 {
            assert_eq!(bad.ask(&world).await.status, 401, "within 96 hours: day {hour}");
        }
        assert_eq!(of(&world, "127.0.0.2").await["notice"], true);
        world.advance(if hour < 4 { "23h" } else { "5h" }).await;
    }
    assert_eq!(bad.ask(&world).await.status, 403);
}

#[test]
fn a_scenario_turns_the_rule_on() {
    let text =
        "[settings]\nsuccessRateRule = true\nsuccessRateMinimumCalls = 50\nsuccessRateGraceSeconds = 0\n";
    let config = SandboxConfig { scenario: Some(Scenario::parse(text).unwrap()), ..SandboxConfig::default() };
    assert!(Sandbox::open(config).is_ok());
}
