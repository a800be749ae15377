import { spawnSync } from 'node:child_process';

/** Root may mount as it is; others as root of a user namespace of their own, where the system allows that. */
const UNSHARE = process.getuid?.() === 0 ? ['unshare', '-m'] : ['unshare', '-U', '-r', '-m'];

/** Every file system becomes read only for what is started here, but for the folders that are named; then privileges go. */
const SCRIPT = `
count=$1; shift
mount --make-rprivate /
awk '{ print $2 }' /proc/self/mounts | while read -r place; do
  case "$place" in /proc* | /sys* | /dev*) ;; *) mount -o remount,bind,ro "$place" 2> /dev/null || true ;; esac
done
while [ "$count" -gt 0 ]; do
  mount --bind "$1" "$1" && mount -o remount,bind,rw "$1" || exit 99
  shift; count=$((count - 1))
done
exec setpriv --no-new-privs --bounding-set=-all --inh-caps=-all "$@"
`;

/** What a command line must begin with to be run as our containers are: see {@link readOnlyRoot}. */
const through = (writable: readonly string[]): readonly string[] => [
  ...UNSHARE,
  ...['sh', '-c', SCRIPT, 'sh', String(writable.length), ...writable],
];

/**
 * What a command line must begin with to run as in our containers: no privileges, and nothing that can be written but some
 * folders. Undefined where the system allows no such thing; the skip is printed with its reason.
 *
 * @param sealed a folder that must then not be writable
 */
export function readOnlyRoot(writable: readonly string[], sealed: string): readonly string[] | undefined {
  const [program = '', ...args] = through(writable);
  const run = (...command: string[]): number | null =>
    process.platform === 'linux' ? spawnSync(program, [...args, ...command]).status : 1;
  const works =
    run('sh', '-c', '! touch "$1/sealed" 2> /dev/null', 'sh', sealed) === 0 &&
    writable.every((folder) => run('sh', '-c', 'touch "$1/open" && rm "$1/open"', 'sh', folder) === 0);
  if (!works) console.warn('skipped: no root can be made read only here');
  return works ? through(writable) : undefined;
}
