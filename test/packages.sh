#!/usr/bin/env bash
# Installs the Debian packages that the lab needs and that are not there yet; without root or apt it says which.
set -euo pipefail
[ "$(uname -s)" = Linux ] || exit 0
missing=()
for p in gcc libc6-dev pkg-config libseccomp-dev iproute2 iptables e2fsprogs util-linux ca-certificates; do
  dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q 'install ok installed' || missing+=("$p")
done
[ ${#missing[@]} -gt 0 ] || exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
  echo "the lab needs these packages, which are not installed: ${missing[*]}" >&2
  exit 0
fi
echo "installing ${missing[*]} …"
export DEBIAN_FRONTEND=noninteractive
apt-get -qq update
apt-get -qq install -y --no-install-recommends "${missing[@]}" >/dev/null
