import { upsertSearchAttributes } from '@temporalio/workflow';
import { SearchAttributeType, defineSearchAttributeKey, type SearchAttributePair } from '@temporalio/common';
import { SEARCH_ATTRIBUTES } from '../contracts/search-attributes.js';
import type { FanOutModality } from '../contracts/workflow-ids.js';

const MODALITY = defineSearchAttributeKey(SEARCH_ATTRIBUTES.modality, SearchAttributeType.KEYWORD);
const CODE = defineSearchAttributeKey(SEARCH_ATTRIBUTES.code, SearchAttributeType.KEYWORD);
const FAILED = defineSearchAttributeKey(SEARCH_ATTRIBUTES.failed, SearchAttributeType.INT);

// An attribute that the server does not know makes the workflow's task fail for ever: callers ask `prepared` first.

/** Given at the start of a child, where it costs nothing. */
export function modalityAttribute(modality: FanOutModality): SearchAttributePair[] {
  return [{ key: MODALITY, value: modality }];
}

/** Marks a unit that failed, so that an operator can list all of one code. */
export function markFailed(code: string): void {
  upsertSearchAttributes([{ key: CODE, value: code }]);
}

/** Marks the end of a cohort. */
export function markFailures(failures: number): void {
  upsertSearchAttributes([{ key: FAILED, value: failures }]);
}
