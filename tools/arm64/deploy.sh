#!/usr/bin/env bash
# Deploy a raspberry-pi bundle to an emulated one over SSH: deploy.sh BUILD [OPTIONS]
#
# An OpenSSH server on the loopback interface, with keys of its own, puts every login into the arm64
# userland of BUILD, which run.sh makes. OPTIONS are those of `edge-ttvos deploy --to`, --model BUNDLE
# first of all. SUITE, BOARD and PYTHON as in run.sh. The home folder there is BUILD/board/home.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=$(cd "$1" && pwd)
shift
suite=${SUITE:-bookworm} python=${PYTHON:-python3} sshd=$(PATH=$PATH:/usr/sbin command -v sshd) || {
    echo "deploy.sh: sshd is not installed. Debian, Ubuntu: apt install openssh-server" >&2
    exit 1
}
keys=$(mktemp -d)
trap 'kill "${server:-}" 2>/dev/null || :; rm -rf "$keys"' EXIT

mkdir -p "$build/board/home"
((EUID)) || mkdir -p /run/sshd # where a server of root's parts its privileges
for key in host client; do ssh-keygen -q -t ed25519 -N '' -f "$keys/$key"; done
port=$("$python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')

cat >"$keys/login" <<EOF
#!/bin/sh
exec "$here/enter.sh" "$build/$suite" "$build/board" env HOME=/mnt/home sh -c "\$SSH_ORIGINAL_COMMAND"
EOF
chmod +x "$keys/login"
environment=()
for name in BOARD {http,https,no}_proxy SSL_CERT_FILE REQUESTS_CA_BUNDLE "${!PIP_@}"; do
    [[ -n ${!name:-} ]] && environment+=("\"$name=${!name}\"")
done
cat >"$keys/sshd_config" <<EOF
HostKey $keys/host
AuthorizedKeysFile $keys/client.pub
ListenAddress 127.0.0.1:$port
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
ForceCommand $keys/login
${environment:+SetEnv ${environment[*]}}
EOF
"$sshd" -D -e -f "$keys/sshd_config" 2>"$keys/log" &
server=$!
echo "[127.0.0.1]:$port $(cat "$keys/host.pub")" >"$keys/known_hosts"
cat >"$keys/ssh" <<EOF
#!/bin/sh
exec $(command -v ssh) -oIdentityFile=$keys/client -oIdentitiesOnly=yes \
    -oUserKnownHostsFile=$keys/known_hosts "\$@"
EOF
chmod +x "$keys/ssh"
PATH=$keys:$PATH "$python" -m edge_ttvos.cli deploy --to "$(id -un)@127.0.0.1:$port" "$@"
