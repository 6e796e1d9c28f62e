#!/usr/bin/env bash
# What end-to-end tests talk to, from Debian's packages: rabbitmq-server, redis-server, postgresql, chromium. Does nothing when they are there.
# Tests start their own instance on a free loopback port; the system's service is neither started nor needed.
set -euo pipefail

# Debian keeps the scripts in /usr/sbin, which is not on everybody's PATH.
missing=()
for server in rabbitmq-server redis-server chromium; do
  PATH="$PATH:/usr/sbin:/usr/lib/rabbitmq/bin" command -v "$server" >/dev/null || missing+=("$server")
done
compgen -G "/usr/lib/postgresql/*/bin/initdb" >/dev/null || missing+=(postgresql)
if [[ ${#missing[@]} -eq 0 ]]; then
  exit 0
fi
if ! command -v apt-get >/dev/null; then
  echo "install-test-servers: ${missing[*]} missing, and this is not a Debian; install by hand" >&2
  exit 1
fi
if [[ "$(id -u)" -ne 0 ]]; then
  echo "install-test-servers: ${missing[*]} missing; run this script as root" >&2
  exit 1
fi

# A package starts its service after installation unless a policy forbids it.
policy=/usr/sbin/policy-rc.d
if [[ ! -e "$policy" ]]; then
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
  trap 'rm -f "$policy"' EXIT
fi
export DEBIAN_FRONTEND=noninteractive
echo "install-test-servers: installing ${missing[*]}, once; it takes a minute"
# Another installation may hold the lock, and a mirror may fail now and then.
options=(-qq -o DPkg::Lock::Timeout=600 -o Acquire::Retries=5)
apt-get "${options[@]}" update
apt-get "${options[@]}" install -y --no-install-recommends "${missing[@]}" >/dev/null
