import { describe, expect, it } from 'vitest';
import { MOST_MESSAGE_BYTES, type ProcessingFailure } from '../../../src/contracts/processing.js';
import { exitMessage, withoutInputs, type InputFiles } from '../../../src/processing/exit-message.js';

const FOLDER = '/opt/ml/processing/input/study';
const STUDY: InputFiles = {
  role: 'study',
  folder: FOLDER,
  files: ['DOE^JANE 1950/CT/IM 0002.dcm', 'DOE^JANE 1950/CT/IM0001.dcm', 'DOE^JANE 1950/Müller.dcm', 'b/1'],
};

describe('a message that leaves the container', () => {
  const shown = (message: string): string => withoutInputs(message, [STUDY]);

  it('tells a file by its number, whichever way it is named', () => {
    for (const name of [`${FOLDER}/DOE^JANE 1950/CT/IM 0002.dcm`, 'DOE^JANE 1950/CT/IM 0002.dcm', 'IM 0002.dcm']) {
      expect(shown(`${name}: not DICOM`)).toBe('study file 1: not DICOM');
    }
    expect(shown('"IM0001.dcm" and Müller.dcm differ')).toBe('"study file 2" and study file 3 differ');
  });

  it('tells a folder by its number, and the input by its role', () => {
    expect(shown(`no CT series in ${FOLDER}/DOE^JANE 1950`)).toBe('no CT series in study folder 1');
    expect(shown(`no CT series in ${FOLDER}`)).toBe('no CT series in study input');
    expect(shown(`${FOLDER}/DOE^JANE 1950/CT: two series`)).toBe('study folder 2: two series');
  });

  it('names no path below an input that it does not know, and no place in S3', () => {
    expect(shown(`cannot open ${FOLDER}/unpacked/SMITH/7.dcm, gone`)).toBe('cannot open study input, gone');
    expect(shown('reading s3://hospital/SMITH/1.2.840: nothing is there')).toBe('reading s3://… nothing is there');
    expect(withoutInputs('slice 12 is missing', [])).toBe('slice 12 is missing');
  });

  it('leaves words and numbers alone that only look like a name', () => {
    expect(shown('slice 1 of 12, CT: 3 files b')).toBe('slice 1 of 12, CT: 3 files b');
    expect(withoutInputs('mask.nii.gz.part', [{ role: 'mask', folder: '/m', files: ['mask'] }])).toBe(
      'mask file 1.nii.gz.part',
    );
    expect(withoutInputs('masked', [{ role: 'mask', folder: '/m', files: ['mask'] }])).toBe('masked');
  });
});

describe('the exit message', () => {
  const written = (message: string): { text: string; note: ProcessingFailure } => {
    const text = exitMessage({ code: 'MissingSlice', step: 'imaging.convert', message });
    return { text, note: JSON.parse(text) as ProcessingFailure };
  };

  it('is the whole failure where there is room for it', () => {
    expect(written('slice 12 is missing – ü').note).toEqual({
      code: 'MissingSlice',
      step: 'imaging.convert',
      message: 'slice 12 is missing – ü',
    });
  });

  it.each([
    ['letters', 'x', 1],
    ['umlauts', 'ü', 2],
    ['signs of three bytes', '漢', 3],
    ['signs outside the basic plane', '🫁', 4],
    ['quotes, which JSON writes as two bytes', '"', 2],
    ['control characters, which JSON writes as six', '\u0001', 6],
  ])('is cut between characters and uses the room there is: %s', (_, character, bytes) => {
    const { text, note } = written(character.repeat(5000));
    const size = Buffer.byteLength(text);
    expect(size).toBeLessThanOrEqual(MOST_MESSAGE_BYTES);
    expect(size).toBeGreaterThan(MOST_MESSAGE_BYTES - bytes);
    expect(note.message).toMatch(/…$/);
    expect(note.message.slice(0, -1)).toBe(character.repeat((note.message.length - 1) / character.length));
    expect(note.code).toBe('MissingSlice');
  });

  it('fills its bytes to the last, and is cut from one more on', () => {
    const room = MOST_MESSAGE_BYTES - Buffer.byteLength(written('').text);
    expect(written('a'.repeat(room)).note.message).toBe('a'.repeat(room));
    expect(written('a'.repeat(room + 1)).note.message).toBe(`${'a'.repeat(room - 3)}…`);
  });

  it('is valid UTF-8 whatever the message was', () => {
    const { text, note } = written('half a pair: \ud83e');
    expect(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(text))).toBe(text);
    expect(note.message).toBe('half a pair: �');
  });
});
