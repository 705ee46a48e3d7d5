#!/usr/bin/env bash
# Installs, from the system's packages, what the tests run against. Does nothing when all is there.
# `install.sh python` installs only what `make setup` needs.
set -euo pipefail

have() { command -v "$1" >/dev/null 2>&1; }

missing=()
if [ "${1:-}" = python ]; then
  missing+=(python3-venv)
else
  ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || missing+=(postgresql)
  [ -x /usr/sbin/postfix ] || missing+=(postfix)
  [ -x /usr/sbin/dovecot ] && [ -x /usr/lib/dovecot/imap ] || missing+=(dovecot-imapd)
  have xmlsec1 || missing+=(xmlsec1)
  have xmllint || missing+=(libxml2-utils)
  have pdftotext || missing+=(poppler-utils)
  have unzip || missing+=(unzip)
  have openssl || missing+=(openssl)
  have java && have javac || missing+=(default-jdk-headless)
  have mvn || missing+=(maven)
  have chromium || have google-chrome || missing+=(chromium)
fi
[ ${#missing[@]} -gt 0 ] || exit 0

run=()
if [ "$(id -u)" != 0 ]; then
  have sudo || { echo "install these packages, then try again: ${missing[*]}" >&2; exit 1; }
  run=(sudo)
fi
have apt-get || { echo "install these packages, then try again: ${missing[*]}" >&2; exit 1; }

# The packages must not start servers of their own: the tests start theirs, in folders of their own.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' | "${run[@]}" tee "$policy" >/dev/null
  "${run[@]}" chmod 755 "$policy"
  trap '"${run[@]}" rm -f "$policy"' EXIT
fi
echo "installing: ${missing[*]}"
"${run[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -qq
"${run[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
