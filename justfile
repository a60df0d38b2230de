# The front door: `just` lists what there is.

_default:
    @just --list --unsorted

# The service with the registry's sandbox, everything in ./data
run *args:
    cargo run -- serve --sandbox {{ args }}

# All checks, as the CI runs them
test *args:
    ./tests/run {{ args }}

# All checks, the slow ones too
test-full:
    ./tests/run full

# Formatting and lints alone
lint:
    ./tests/run --only format --only lint

# Formats the code
fmt:
    cargo fmt --all

# One benchmark, or the list of them: just bench intake-single --json
bench *args:
    cargo run --release --package kopru-bench -- {{ args }}

# An empty migration for both databases: just migrate-new add_quota
migrate-new name:
    #!/usr/bin/env bash
    set -euo pipefail
    [[ "{{ name }}" =~ ^[a-z][a-z0-9_]*$ ]] || { echo 'a name is lower case, with underscores' >&2; exit 1; }
    version=$(date --utc +%Y%m%d%H%M%S)
    for database in sqlite postgres; do
        file="migrations/$database/${version}_{{ name }}.sql"
        printf -- '-- %s: what this changes and why. Only ever expand; contract in a later release.\n' '{{ name }}' >"$file"
        echo "$file"
    done
