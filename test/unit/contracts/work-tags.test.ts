import { describe, expect, it } from 'vitest';
import {
  MOST_WORKFLOW_TAGS,
  namespaceTag,
  withoutWork,
  workflowOf,
  workTags,
} from '../../../src/contracts/work-tags.js';

/** What SageMaker takes of a value; EC2 takes more. */
const VALUE = /^([\p{L}\p{Z}\p{N}_.:/=+\-@]*)$/u;

describe('the tags of work', () => {
  it('have an ordinary workflow id as it is', () => {
    expect(workTags('name', 'cohort-1/imaging/R01-001', 'default')).toEqual({
      'cohortflow:work': 'name',
      'cohortflow:workflow': 'cohort-1/imaging/R01-001',
      'cohortflow:namespace': 'default',
    });
  });

  it('say which run, where it is known', () => {
    const tags = workTags('name', 'w', 'default', '0f3a');
    expect(tags).toMatchObject({ 'cohortflow:workflow': 'w', 'cohortflow:run': '0f3a' });
    expect(Object.keys(withoutWork(tags))).toEqual(['cohortflow:namespace']);
  });

  it.each([
    'trial (A)',
    'batch#1',
    ' a=b%20c ',
    '(),#~!*\'"\\\n\t<>&',
    'ü €\u{1f600}',
    '='.repeat(300),
    'x'.repeat(1000),
    '€'.repeat(333),
  ])('have any other in characters that services take, and give it back: %.20j', (workflowId) => {
    const tags = workTags('name', workflowId, 'default');
    for (const [key, value] of Object.entries(tags)) {
      expect(key).toMatch(VALUE);
      expect(value).toMatch(VALUE);
      expect(value.length).toBeLessThanOrEqual(256);
      expect(value.trim()).toBe(value);
    }
    expect(Object.keys(tags).length).toBeLessThanOrEqual(2 + MOST_WORKFLOW_TAGS);
    expect(workflowOf(tags)).toBe(workflowId);
    expect(withoutWork(tags)).toEqual({ 'cohortflow:namespace': 'default' });
  });

  it('tell nothing where there is none, or something that is not ours', () => {
    expect(workflowOf({})).toBeUndefined();
    expect(workflowOf({ 'cohortflow:workflow': 'a=ZZ' })).toBeUndefined();
  });

  it('have a namespace in characters and length that services take', () => {
    expect(namespaceTag('team.a1b2c')).toBe('team.a1b2c');
    expect(namespaceTag('a (b)'.repeat(100))).toMatch(VALUE);
    expect(namespaceTag('a (b)'.repeat(100)).length).toBe(256);
  });
});
