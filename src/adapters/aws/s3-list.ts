import type { FileEntry } from '../../ports/files.js';
import { abortable } from './client-options.js';
import type { S3Access } from './s3-client.js';
import { s3Error } from './s3-errors.js';
import { locationOf, prefixOf } from './s3-location.js';

/** One object or, with a delimiter, one folder below a prefix. */
export interface Listed extends FileEntry {
  readonly etag: string;
  readonly storageClass?: string;
}

/** Sorts as a walk through folders does, each folder's entries by name in code unit order. */
export function inWalkOrder(a: { readonly path: string }, b: { readonly path: string }): number {
  const left = a.path.split('/');
  const right = b.path.split('/');
  for (let at = 0; at < Math.min(left.length, right.length); at += 1) {
    const [x = '', y = ''] = [left[at], right[at]];
    if (x !== y) return x < y ? -1 : 1;
  }
  return left.length - right.length;
}

/**
 * What lies below a place, page by page, as S3 orders it. Objects whose key ends with a slash only mark a folder and are
 * left out.
 *
 * @param options `recursive`: all objects below instead of the entries of the folder itself; `limit`: one page of no more than
 * so many and one, which does for asking whether there is anything
 */
export async function* below(
  access: S3Access,
  uri: string,
  options: { readonly recursive?: boolean; readonly limit?: number; readonly signal?: AbortSignal | undefined } = {},
): AsyncIterable<Listed> {
  const { recursive = false, limit, signal } = options;
  const location = locationOf(uri);
  const { bucket } = location;
  const prefix = prefixOf(location);
  const root = `s3://${bucket}/`;
  const { ListObjectsV2Command } = await access.commands();
  const client = await access.client(bucket);
  let token: string | undefined;
  do {
    try {
      const command: InstanceType<typeof ListObjectsV2Command> = new ListObjectsV2Command({
        Bucket: bucket,
        Prefix: prefix,
        ...(recursive ? {} : { Delimiter: '/' }),
        // One more: the first may be the mark of the folder itself, as consoles make it.
        ...(limit === undefined ? {} : { MaxKeys: limit + 1 }),
        ...(token === undefined ? {} : { ContinuationToken: token }),
        ...access.payer(bucket),
      });
      const page = await client.send(command, abortable(signal));
      for (const { Prefix = '' } of page.CommonPrefixes ?? []) {
        const key = Prefix.slice(0, -1);
        yield { path: root + key, name: key.slice(prefix.length), size: 0, kind: 'folder', etag: '' };
      }
      for (const { Key = '', Size: size = 0, ETag: etag = '', StorageClass } of page.Contents ?? []) {
        if (Key.endsWith('/')) continue;
        const storageClass = StorageClass === undefined ? {} : { storageClass: StorageClass };
        const name = Key.slice(Key.lastIndexOf('/') + 1);
        yield { path: root + Key, name, size, kind: 'file', etag, ...storageClass };
      }
      token = limit === undefined && page.IsTruncated === true ? page.NextContinuationToken : undefined;
    } catch (error) {
      throw s3Error(error, uri, 'listing', signal);
    }
  } while (token !== undefined);
}
