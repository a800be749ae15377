import type { Payload } from '@temporalio/common';
// A CommonJS module whose names Node cannot see from an ES module.
import proto from '@temporalio/proto';
import { CohortflowError } from '../domain/errors.js';

const { Payload: PayloadMessage } = proto.temporal.api.common.v1;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Standard base64, or the one for URLs: protobuf's JSON allows both. */
function bytesOf(value: unknown): Uint8Array {
  if (typeof value !== 'string' || !/^[A-Za-z0-9+/_-]*={0,2}$/.test(value)) {
    throw new CohortflowError('InvalidInput', 'payloads: base64 is wanted in data and metadata');
  }
  return Uint8Array.from(Buffer.from(value, 'base64'));
}

/**
 * Reads `{ "payloads": [{ "metadata": { … }, "data": … }] }`, bytes in base64.
 *
 * @throws CohortflowError `InvalidInput`, without what was found
 */
export function payloadsFromJson(document: unknown): Payload[] {
  const list = isObject(document) ? (document['payloads'] ?? []) : undefined;
  if (!Array.isArray(list)) throw new CohortflowError('InvalidInput', 'wanted: { "payloads": [ … ] }');
  return list.map((item: unknown) => {
    if (!isObject(item)) throw new CohortflowError('InvalidInput', 'payloads: objects are wanted');
    const { metadata, data, ...rest } = item;
    if (metadata !== undefined && !isObject(metadata)) {
      throw new CohortflowError('InvalidInput', 'payloads: metadata is no object');
    }
    const read = Object.entries(metadata ?? {}).map(([name, value]) => [name, bytesOf(value)] as const);
    return {
      ...PayloadMessage.fromObject(rest),
      metadata: Object.fromEntries(read),
      data: bytesOf(data ?? ''),
    };
  });
}

/** The same form, to be sent. */
export function payloadsToJson(payloads: readonly Payload[]): { readonly payloads: readonly unknown[] } {
  const asMessage = (payload: Payload): unknown =>
    PayloadMessage.toObject(PayloadMessage.fromObject(payload), { bytes: String, longs: String });
  return { payloads: payloads.map(asMessage) };
}
