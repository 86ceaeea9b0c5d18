#!/usr/bin/env bash
# Installs the Debian packages of one group of deps.txt beside it and of the groups before it, if any is missing.
# Says what it does before it does it. Without apt or root it prints the command and stops.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
case "${1:-}" in
run) groups="run" ;;
test) groups="run test" ;;
check) groups="run test check" ;;
*) echo "usage: $0 run|test|check" >&2; exit 2 ;;
esac

wanted=()
while read -r group package _; do
    [[ " $groups " == *" $group "* ]] && wanted+=("$package")
done < <(grep -v '^#' "$here/deps.txt")

if ! command -v dpkg-query >/dev/null; then
    echo "deps: this is no Debian; make sure that you have: ${wanted[*]}" >&2
    exit 0
fi

missing=()
for package in "${wanted[@]}"; do
    status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [[ $status == installed ]] || missing+=("$package")
done
[[ ${#missing[@]} -eq 0 ]] && exit 0

install=(apt-get install -y --no-install-recommends "${missing[@]}")
sudo=()
if [[ $(id -u) -ne 0 ]]; then
    if ! command -v sudo >/dev/null || { ! sudo -n true 2>/dev/null && [[ ! -t 0 ]]; }; then
        echo "deps: missing packages. As root, run:" >&2
        echo "  apt-get update && ${install[*]}" >&2
        exit 1
    fi
    sudo=(sudo)
fi
if ! command -v apt-get >/dev/null; then
    echo "deps: there is no apt-get here. Missing packages: ${missing[*]}" >&2
    exit 1
fi

echo "deps: installing ${missing[*]}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
export DEBIAN_FRONTEND=noninteractive
if ! { "${sudo[@]}" apt-get update && "${sudo[@]}" "${install[@]}"; } >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    echo "deps: failed: ${sudo[*]} apt-get update && ${install[*]}" >&2
    exit 1
fi
