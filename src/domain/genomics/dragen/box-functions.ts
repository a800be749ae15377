import { DENIED, END_NAME, NO_PROGRAM, NO_ROOM, NOT_THERE } from './box-end.js';
import { BOX_NAMES } from './profiles.js';

/** The folder that is worked in: local disks first, for the root volume holds little and is slow. */
const FOLDERS = `
root="\${COHORTFLOW_BOX_ROOT:-}" # empty on a machine of its own
# What is known of this work; other work that the machine had lies beside it.
home="$root/var/lib/cohortflow/$name"
mkdir -p "$home"
step=space
what= # the object or program that a failure is about
version= # that DRAGEN calls itself
gave_up=0
began=$(date +%s)

# One at a time: a command that was sent again waits for the first one and ends as that did.
exec 9>"$root/var/lib/cohortflow/lock"
flock 9
if [ -f "$home/exit" ]; then exit "$(cat "$home/exit")"; fi
# From now on the machine has the time of this work: whatever becomes of us, it ends itself.
shutdown -h "+$watchdog" > /dev/null 2>&1 || true
export PATH="$PATH:/opt/edico/bin$(printf ':%s' /opt/dragen/*/bin)"

local_disk() {
  [ -z "$root" ] || return 1
  for mounted in /ephemeral /mnt/cohortflow; do
    if mountpoint -q $mounted && [ -w $mounted ]; then echo $mounted; return; fi
  done
  disk=$(lsblk -dnpo NAME,MODEL | awk '/Instance Storage/ { print $1; exit }')
  [ -n "$disk" ] && [ -z "$(lsblk -no MOUNTPOINT "$disk" | tr -d '[:space:]')" ] || return 1
  mkfs.xfs -q -f "$disk" >&2 && mkdir -p /mnt/cohortflow && mount "$disk" /mnt/cohortflow && echo /mnt/cohortflow
}
folder="$(local_disk || echo "$root/var/lib/cohortflow")/work"
mkdir -p "$folder" "$home/log"
cd "$folder"
# Reads and results of work before this one go; its hash table may serve again.
clear_folder() { find "$folder" -mindepth 1 -maxdepth 1 ! -name '${BOX_NAMES.hashTable}*' -exec rm -rf {} +; }
clear_folder
`;

/** Transfers by the AWS CLI, which checks what it moves; its words go into a log, and tell what trying again is good for. */
const TRANSFERS = `
# Ends with a code of ours; a program that happens to end with the same one says nothing by it.
give_up() { gave_up=$1; exit "$1"; }
missing() { what=\${1%/}; what=\${what##*/}; give_up ${NOT_THERE}; }
transfer() { # words of aws s3 cp
  local left=3 said="$home/said" fault word
  until aws s3 cp --only-show-errors "$@" > "$said" 2>&1; do
    cat "$said" >> "$home/log/transfers.log"
    for word in "$@"; do case "$word" in s3://*) break ;; esac; done
    fault=
    if [[ $(cat "$said") =~ An\\ error\\ occurred\\ \\(([A-Za-z0-9]+)\\) ]]; then fault=\${BASH_REMATCH[1]}; fi
    case "$fault" in
      404 | NoSuchKey | NoSuchBucket) missing "$word" ;;
      403 | AccessDenied | Forbidden | AllAccessDisabled) what=\${word##*/}; give_up ${DENIED} ;;
    esac
    if grep -q 'No space left on device' "$said"; then give_up ${NO_ROOM}; fi
    left=$((left - 1)); [ "$left" -gt 0 ] || return 1
    sleep 5
  done
}
put() { transfer "\${sse[@]}" "$1" "$2"; }
need() { command -v "$1" > /dev/null || { what=$1; give_up ${NO_PROGRAM}; }; }
room() { [ "$(df -B1 --output=avail . | tail -1)" -ge "$1" ] || give_up ${NO_ROOM}; } # bytes
plain() { if [ "\${1%.gz}" != "$1" ]; then gzip -d "$1"; fi; }
`;

/** Whatever ends the script says so in S3, where it outlives the machine. */
const ENDING = `
going_down() { [ "$(systemctl is-system-running 2> /dev/null)" = stopping ]; }
# What a program said last of why it failed, in one line without what would have to be escaped.
last_words() {
  local log newest=
  for log in "$home"/log/*.log; do if [ -z "$newest" ] || [ "$log" -nt "$newest" ]; then newest=$log; fi; done
  [ -f "$newest" ] || return 0
  tail -c 20000 "$newest" | LC_ALL=C tr '\\r\\t"\\\\' "\\n '/" | grep -av '^ *$' > "$home/words"
  { grep -aiE 'error|fatal|exception|unrecogni|invalid' "$home/words" || cat "$home/words"; } |
    tail -n 1 | LC_ALL=C tr -cd '[:print:]' | tail -c 1000
}
finish() {
  code=$?
  trap - EXIT
  set +e
  # Ended from outside, as by a machine that goes down, when the status is that of whatever came before: no word of it is
  # true, and the work may be done again. So it is where a program was ended and made an error of it.
  if [ "$code" -eq 0 ] && [ "$whole" = no ]; then code=143; fi
  case "$code" in 129 | 130 | 143) exit "$code" ;; esac
  if [ "$code" -ne 0 ] && going_down; then exit "$code"; fi
  case "$code" in 7[0-9]) [ "$code" -eq "$gave_up" ] || code=1 ;; esac
  ok=false
  [ "$code" -eq 0 ] && ok=true || : > "$home/sums"
  list=$(awk 'BEGIN { first = 1 } { name = substr($0, 67); if (!first) printf ","; first = 0
    printf "{\\"name\\":\\"%s\\",\\"sha256\\":\\"%s\\"}", name, substr($0, 1, 64) }' "$home/sums")
  said=
  [ "$code" -eq 0 ] || said=$(last_words)
  printf '{"ok":%s,"step":"%s","exit":%s,"what":"%s","said":"%s",' "$ok" "$step" "$code" "\${what//[^A-Za-z0-9._-]/_}" "$said" > "$home/end.json"
  printf '"version":"%s","seconds":%s,"results":[%s]}\\n' "$version" "$(($(date +%s) - began))" "$list" >> "$home/end.json"
  if [ "$code" -ne 0 ]; then
    for log in "$home"/log/*.log; do [ -f "$log" ] && { echo "== $(basename "$log")"; tail -c 200000 "$log"; }; done > "$home/all.log"
    (put "$home/all.log" "$logs.log")
  fi
  (put "$home/end.json" "$place/results/${END_NAME}")
  clear_folder
  echo "$code" > "$home/exit"
  shutdown -h "+$linger" >/dev/null 2>&1
  exit "$code"
}
: > "$home/sums"
whole=no
trap finish EXIT
`;

/** What the script of a machine begins with. */
export const BOX_FUNCTIONS = [FOLDERS, TRANSFERS, ENDING].join('');
