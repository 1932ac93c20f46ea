#!/usr/bin/env bash
# What deploy/Dockerfile says, done step by step in a chroot: for machines without Docker. Then the bot keeps a
# note there, as the image's user, with everything but /data and /tmp read-only.
#
#   sudo apt install debootstrap && sudo deploy/try-in-chroot.sh [folder]
#
# The folder keeps the bare Debian, for the next time; the steps are done in a copy of it.
# It stands for python:3.11-slim with Debian 12 and its own Python 3.11. Not tried by it: Docker itself, and compose.
set -euo pipefail
cd "$(dirname "$0")/.."

[ "$(id -u)" = 0 ] || { echo "It takes root: sudo $0"; exit 2; }
command -v debootstrap >/dev/null || { echo "It takes debootstrap: apt install debootstrap"; exit 2; }
work=$(mktemp -d) context=$(mktemp -d)
trap 'rm -rf --one-file-system "$work" "$context"' EXIT
base=$(realpath "${1:-$work/base}")

# ---- FROM python:3.11-slim-bookworm ----

[ -e "$base/usr/bin/python3" ] ||
    debootstrap --variant=minbase --include=python3,python3-pip,ca-certificates,tzdata bookworm "$base"
root=$work/image && cp -a "$base" "$root"
ln -sf python3 "$root/usr/bin/python"
env=(PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin HOME=/tmp LANG=C.UTF-8 PIP_BREAK_SYSTEM_PACKAGES=1)
# The machine's own way to the packages.
for file in /etc/resolv.conf /etc/pip.conf /etc/ssl/certs/ca-certificates.crt; do
    [ ! -e "$file" ] || cp "$file" "$root$file"
done

# ---- The build context: what .dockerignore lets in ----

for pattern in $(sed -n 's/^!//p' .dockerignore); do
    # shellcheck disable=SC2086 # a pattern is several files
    cp -r --parents $pattern "$context"
done
find "$context" -name __pycache__ -prune -exec rm -r {} +

# ---- The steps ----

user=0 workdir=/ health="" cmd=""

inside() { # runs a command line there
    chroot --userspec="$user" "$root" env -i "${env[@]}" sh -c "cd $workdir && $1"
}

copied() { # COPY: the last word is where to
    local target="$root/$workdir/${*: -1}"
    (cd "$context" && cp -r "${@:1:$#-1}" "$target")
}

while read -r word rest; do
    echo "--> $word $rest"
    case $word in
        FROM | VOLUME) ;;
        ENV) read -ra more <<<"$rest" && env+=("${more[@]}") ;;
        WORKDIR) workdir=$rest && mkdir -p "$root/$workdir" ;;
        COPY) read -ra words <<<"$rest" && copied "${words[@]}" ;;
        RUN) inside "$rest" ;;
        USER) user=$rest ;;
        HEALTHCHECK) health=$(tr -d '[],"' <<<"${rest#*CMD }") ;;
        CMD) cmd=$(tr -d '[],"' <<<"$rest") ;;
        *) echo "No step of this kind is known here: $word" && exit 1 ;;
    esac
done < <(sed -e '/^#/d' -e '/^$/d' -e ':more' -e '/\\$/{N;s/\\\n *//;b more' -e '}' deploy/Dockerfile)

# ---- The bot, read-only ----

export -f inside
export root user workdir
declare -p env >"$context/env"
unshare --mount bash -euo pipefail -c "
    source $context/env
    mount --bind '$root' '$root' && mount --bind '$root/data' '$root/data'
    mount -t tmpfs tmpfs '$root/tmp' && mount -o remount,bind,ro '$root'
    said=\$(printf '/note_add хлеб\n/note_list\n' | inside '$cmd --console')
    grep -q 'Заметка #1 сохранена.' <<<\"\$said\" && grep -q хлеб <<<\"\$said\" || { echo \"\$said\"; exit 1; }
    inside '$health'
    inside '$cmd --backup'
    ! inside 'touch /app/x' 2>/dev/null
"
[ "$(stat -c '%u %a' "$root/data/notes.db")" = "$user 600" ]
echo "The steps of deploy/Dockerfile work, and so does the bot that comes of them."
