#!/usr/bin/env bash
# Make the arm64 Debian userland of a suite, unless it is there: userland.sh SUITE FOLDER [MIRROR]
#
# Packages are downloaded, checked against Debian's keys and unpacked, never configured: Python needs
# none of that, so no root, no emulation and no minutes. FOLDER is whole or absent.
set -euo pipefail

suite=$1 folder=$2 mirror=${3:-http://deb.debian.org/debian}
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
part=$folder.part

[[ -d $folder ]] && exit
PATH=$PATH:/usr/sbin:/sbin
missing=()
command -v debootstrap >/dev/null || missing+=(debootstrap)
[[ -f $keyring ]] || missing+=(debian-archive-keyring)
if ((${#missing[@]})); then
    echo "userland.sh: not installed: ${missing[*]}. Debian, Ubuntu: apt install ${missing[*]}" >&2
    exit 1
fi

rm -rf "$part"
mkdir -p "$part/debs" "$part/root"
echo "arm64: downloading Debian $suite from $mirror"
debootstrap --download-only --arch=arm64 --variant=minbase --force-check-gpg --keyring="$keyring" \
    --include=python3,python3-venv,ca-certificates "$suite" "$part/debs" "$mirror" \
    >"$part/log" || { tail -n 5 "$part/log" "$part/debs/debootstrap/debootstrap.log" >&2; exit 1; }

echo "arm64: unpacking"
root=$part/root
mkdir -p "$root"/{dev,proc,sys,tmp,root,mnt} "$root"/usr/{bin,sbin,lib}
ln -s usr/bin usr/sbin usr/lib "$root"
for deb in "$part"/debs/var/cache/apt/archives/*.deb; do
    dpkg-deb --fsys-tarfile "$deb" \
        | tar --extract --directory="$root" --no-same-owner --keep-directory-symlink
done
cp "$root"/usr/share/base-passwd/passwd.master "$root/etc/passwd"
cp "$root"/usr/share/base-passwd/group.master "$root/etc/group"
mv "$root" "$folder"
rm -rf "$part"
