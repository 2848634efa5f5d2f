#!/bin/sh
# Serve the gateway: `scripts/start-backend.sh [--host HOST] [--port PORT] [--data DIR]`.
set -eu
cd -P "$(dirname "$0")/.."
scripts/install.sh runtime
exec .venv/bin/ops serve "$@"
