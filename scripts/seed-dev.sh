#!/bin/sh
# Put the backlog (tasks T-100 to T-105 and T-200 to T-204) into the gateway at OPSWIRE_URL.
set -eu
cd -P "$(dirname "$0")/.."
scripts/install.sh runtime
exec .venv/bin/ops seed "$@"
