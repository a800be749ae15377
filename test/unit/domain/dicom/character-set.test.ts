import { describe, expect, it } from 'vitest';
import { textDecoderOf } from '../../../../src/domain/dicom/character-set.js';

/** A text as dcmjs gives it: each byte a letter of Windows-1252. */
const raw = (...bytes: readonly number[]): string => new TextDecoder('windows-1252').decode(Uint8Array.from(bytes));
const ascii = (text: string): number[] => Array.from(text, (letter) => letter.charCodeAt(0));
const utf8 = (text: string): string => raw(...new TextEncoder().encode(text));

describe('texts in the character set of their file', () => {
  it.each<[string, string, string]>([
    ['ISO_IR 192', utf8('腫瘍 é'), '腫瘍 é'],
    ['ISO_IR 144', raw(0xbe, 0xdf, 0xe3, 0xe5, 0xde, 0xdb, 0xec), 'Опухоль'],
    ['GB18030', raw(0xd6, 0xd7, 0xc1, 0xf6), '肿瘤'],
    ['\\ISO 2022 IR 87', raw(0x1b, 0x24, 0x42, 0x3c, 0x70, 0x1b, 0x28, 0x42, 0x31), '腫1'],
    ['\\ISO 2022 IR 149', raw(0x1b, 0x24, 0x29, 0x43, 0xc1, 0xbe, 0xbe, 0xe7), '종양'],
    ['ISO 2022 IR 100\\ISO 2022 IR 144', raw(...ascii('GTV')), 'GTV'],
  ])('%s', (set, text, wanted) => {
    expect(textDecoderOf(set)?.(text) ?? text).toBe(wanted);
  });

  it.each(['', 'ISO_IR 6', 'ISO_IR 100', 'nonsense'])('leaves those of "%s" as they were read', (set) => {
    expect(textDecoderOf(set)).toBeUndefined();
  });
});
