# shellcheck shell=bash
#
# For scripts that need the registry sandbox: `start_sandbox SCENARIO` builds the program, starts the sandbox on a free port
# and sets SANDBOX_URL, SANDBOX_USERNAME, SANDBOX_PASSWORD and SANDBOX_WORK, a folder that goes with the script.

SANDBOX_WORK=$(mktemp -d "${TMPDIR:-/tmp}/kopru-sandbox.XXXXXX")
sandbox=

stop_sandbox() {
    local status=$?
    trap - EXIT INT TERM
    if [[ -n $sandbox ]]; then
        kill "$sandbox" 2>/dev/null || true
        wait "$sandbox" 2>/dev/null || true
    fi
    rm -rf "$SANDBOX_WORK"
    exit "$status"
}
trap stop_sandbox EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# The folder where cargo puts what it builds
target_folder() { cargo metadata --format-version 1 --no-deps | sed 's/.*"target_directory":"\([^"]*\)".*/\1/'; }

start_sandbox() {
    local target greeting=$SANDBOX_WORK/greeting.json
    target=$(target_folder)
    cargo build --quiet --bin kopru
    KOPRU__DATA_DIR=$SANDBOX_WORK "$target/debug/kopru" sandbox --json --listen 127.0.0.1:0 --data :memory: \
        --scenario "$1" >"$greeting" 2>"$SANDBOX_WORK/log" &
    sandbox=$!
    for _ in {1..100}; do
        if [[ -s $greeting ]] || ! sandbox_lives; then break; fi
        sleep 0.1
    done
    if ! [[ -s $greeting ]]; then
        cat "$SANDBOX_WORK/log" >&2
        exit 1
    fi
    SANDBOX_URL=$(greeting_field sandbox)
    SANDBOX_USERNAME=$(greeting_field registryUsername)
    SANDBOX_PASSWORD=$(greeting_field registryPassword)
    export SANDBOX_URL SANDBOX_USERNAME SANDBOX_PASSWORD
}

greeting_field() { sed "s/.*\"$1\":\"\([^\"]*\)\".*/\1/" "$SANDBOX_WORK/greeting.json"; }

sandbox_lives() { kill -0 "$sandbox" 2>/dev/null; }
