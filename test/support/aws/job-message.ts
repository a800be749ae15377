/** What the service shows of a container's message: this much of its beginning. */
const MOST_BYTES = 1024;

/**
 * The exit message of a job from the file that its container left.
 *
 * @throws Error with the service's reason when the file is not UTF-8: the job then fails, however its container ended
 */
export function exitMessageOf(file: Uint8Array): string {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(file);
  } catch {
    throw new Error('ClientError: The message file /opt/ml/output/message is not encoded in UTF-8');
  }
  // Cut by bytes: what is left of a character that the cut goes through is no character.
  return new TextDecoder().decode(file.subarray(0, MOST_BYTES), { stream: true });
}
