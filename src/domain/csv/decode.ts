/** What keeps a file from being read as text. `row` is the spreadsheet row (header = 1) where that is known. */
export interface TextProblem {
  readonly kind: 'Workbook' | 'Compressed' | 'Binary' | 'NotUtf8';
  readonly row?: number;
  readonly message: string;
}

export interface DecodedText {
  /** The text without its byte order mark; what was undecodable is U+FFFD. */
  readonly text: string;
  readonly problem?: TextProblem;
}

/** Line, counted from 1, of a position in a text. */
function lineAt(text: string, position: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at >= 0 && at < position; at = text.indexOf('\n', at + 1)) line += 1;
  return line;
}

function startsWith(bytes: Uint8Array, ...prefix: readonly number[]): boolean {
  return prefix.every((byte, index) => bytes[index] === byte);
}

/** Excel's "Unicode text" is UTF-16 with a byte order mark; everything else has to be UTF-8. */
function decodeBytes(bytes: Uint8Array): string {
  if (startsWith(bytes, 0xff, 0xfe)) return new TextDecoder('utf-16le').decode(bytes);
  if (startsWith(bytes, 0xfe, 0xff)) return new TextDecoder('utf-16be').decode(bytes);
  return new TextDecoder('utf-8').decode(bytes);
}

/**
 * Turns the content of a table file into text: UTF-8 with or without a byte order mark, or UTF-16 with one. A workbook,
 * a binary file and an undecodable byte are reported, not thrown; the text is then still returned for what it is worth.
 */
export function decodeText(content: string | Uint8Array): DecodedText {
  if (typeof content !== 'string' && (startsWith(content, 0x50, 0x4b, 3, 4) || startsWith(content, 0xd0, 0xcf, 0x11))) {
    return {
      text: '',
      problem: { kind: 'Workbook', message: 'this is a spreadsheet workbook; save it as CSV (UTF-8)' },
    };
  }
  if (typeof content !== 'string' && startsWith(content, 0x1f, 0x8b)) {
    return {
      text: '',
      problem: { kind: 'Compressed', message: 'this is compressed with gzip; unpack it (gunzip) first' },
    };
  }
  if (typeof content !== 'string' && startsWith(content, 0x50, 0x41, 0x52, 0x31)) {
    return { text: '', problem: { kind: 'Binary', message: 'this is a Parquet file; save it as CSV (UTF-8)' } };
  }
  const raw = typeof content === 'string' ? content : decodeBytes(content);
  const text = raw.charCodeAt(0) === 0xfeff ? raw.slice(1) : raw;
  const nul = text.indexOf('\0');
  if (nul >= 0) {
    return {
      text,
      problem: { kind: 'Binary', row: lineAt(text, nul), message: 'holds a NUL character: not a text file' },
    };
  }
  const bad = text.indexOf('\ufffd');
  if (bad >= 0) {
    const message = 'holds characters that are not UTF-8; save the table with the encoding UTF-8';
    return { text, problem: { kind: 'NotUtf8', row: lineAt(text, bad), message } };
  }
  return { text };
}
