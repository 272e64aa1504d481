#!/usr/bin/env bash
# Sets up what Tracemark needs: system libraries, .venv, the locked packages, the `tracemark` command.
# Usage: tools/setup.sh run | dev | system   (dev adds what the tests need: the browser, linters, load tools;
#                                            system stops after the system libraries: the second stage of the image)
# Done again, it does nothing: a stamp in .venv remembers what was set up.
set -euo pipefail
cd "$(dirname "$0")/.."
purpose=${1:-run}
lock=requirements.lock
[ "$purpose" = dev ] && lock=requirements-dev.lock
stamp=.venv/.set-up-$purpose
fingerprint="$(cat "$lock" pyproject.toml | sha256sum | cut -d' ' -f1) $PWD"

say() { printf 'setup: %s\n' "$*" >&2; }

# --- system packages -------------------------------------------------------------------------------------------------
missing=()
has_library() { ldconfig -p 2>/dev/null | grep -q "$1" || /sbin/ldconfig -p 2>/dev/null | grep -q "$1"; }
has_library libpango-1.0.so.0 || missing+=(libpango-1.0-0)
has_library libpangoft2-1.0.so.0 || missing+=(libpangoft2-1.0-0)
has_library libharfbuzz-subset.so.0 || missing+=(libharfbuzz-subset0)
command -v fc-list >/dev/null || missing+=(fontconfig)
if ! command -v fc-list >/dev/null || [ -z "$(fc-list :lang=zh-cn family 2>/dev/null)" ]; then missing+=(fonts-noto-cjk); fi
if [ "$purpose" = dev ]; then
  command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || missing+=(chromium)
  has_library libatomic.so.1 || missing+=(libatomic1) # the driver of the browser tests
fi
python=""
for candidate in python3.11 python3.12 python3.13 python3.14 python3; do
  if command -v "$candidate" >/dev/null && "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    python=$candidate; break
  fi
done
if [ -z "$python" ]; then missing+=(python3 python3-venv)
elif ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then missing+=(python3-venv); fi

if [ ${#missing[@]} -gt 0 ]; then
  sudo=""
  [ "$(id -u)" = 0 ] || sudo="sudo"
  install="$sudo apt-get install -y --no-install-recommends ${missing[*]}"
  if command -v apt-get >/dev/null && { [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null; }; then
    say "installing ${missing[*]}"
    $sudo apt-get update -qq >&2
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2
    [ -n "$python" ] || python=python3
  else
    say "missing: ${missing[*]}"
    say "run this once, then try again:   ${install# }"
    exit 1
  fi
fi
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { say "Python 3.11 or newer is needed; this system offers $("$python" -V)"; exit 1; }

[ "$purpose" != system ] || exit 0

# --- packages --------------------------------------------------------------------------------------------------------
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$fingerprint" ] && [ -x .venv/bin/tracemark ]; then exit 0; fi
if ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
  say "creating .venv with $("$python" -V)"
  "$python" -m venv --clear .venv
fi
say "installing the packages of $lock (checked by hash)"
.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r "$lock" >&2
# The command itself: an editable install, built by the locked backend.
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e . >&2
printf '%s' "$fingerprint" > "$stamp"
say "ready"
