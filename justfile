# The steps of CI, by name; `just` alone lists them.

_list:
    @just --list

# Everything that must pass
ci:
    .ci/run

# Is the code formatted?
format:
    .ci/run format

# Unit and integration tests
test:
    .ci/run tests

# Clippy, without any warning
lint:
    .ci/run lints

# Do the docs build?
docs:
    .ci/run docs

# Hold fincheck against real software; needs Python and Node
third-party:
    .ci/run third_party
