#!/usr/bin/env bash
# First process of enter.sh's namespaces: mounts.sh ROOT WORK REGISTRATION OVERLAYS COMMAND...
set -euo pipefail

root=$1 work=$2 registration=$3 overlays=$4
shift 4

# From Linux 6.7 on a user namespace has a list of binary formats to itself.
formats=/proc/sys/fs/binfmt_misc
if mount -t binfmt_misc none "$formats" 2>/dev/null; then
    grep -h '^:' "$registration" >"$formats/register"
elif [[ ! -e $formats/$(basename "$registration" .conf) ]]; then
    echo "enter.sh: this kernel needs QEMU registered for the whole machine." \
        "Run as root: systemctl restart systemd-binfmt" >&2
    exit 1
fi

mount --rbind /dev "$root/dev"
mount --rbind /sys "$root/sys"
mount -t proc none "$root/proc" 2>/dev/null || mount --rbind /proc "$root/proc"
mount -t tmpfs none "$root/tmp"
mount --bind "$work" "$root/mnt"
for overlay in $overlays; do
    case $overlay in
        cpuinfo) mount --bind "$work/overlays/cpuinfo" "$root/proc/cpuinfo" ;;
        cpu) mount --bind "$work/overlays/cpu" "$root/sys/devices/system/cpu" ;;
        *) echo "enter.sh: expected OVERLAYS of cpuinfo, cpu; got $overlay." >&2; exit 1 ;;
    esac
done
# A child, no exec: of a first process a fatal signal is discarded, and a crash would hang.
chroot "$root" /usr/bin/env -C /mnt "$@"
