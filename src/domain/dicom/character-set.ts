/** Labels of `TextDecoder` by DICOM's defined terms, of which the last number counts (`ISO_IR 100`, `ISO 2022 IR 100`). */
const DECODERS: Readonly<Record<string, string>> = {
  '13': 'shift_jis',
  '58': 'gbk',
  '87': 'iso-2022-jp',
  '100': 'windows-1252',
  '101': 'iso-8859-2',
  '109': 'iso-8859-3',
  '110': 'iso-8859-4',
  '126': 'iso-8859-7',
  '127': 'iso-8859-6',
  '138': 'iso-8859-8',
  '144': 'iso-8859-5',
  '148': 'windows-1254',
  '149': 'euc-kr',
  '159': 'iso-2022-jp',
  '166': 'windows-874',
  '192': 'utf-8',
  '203': 'iso-8859-15',
  GB18030: 'gb18030',
  GBK: 'gbk',
};

/** Escape sequences by which a value changes to Korean, Chinese or a set of single bytes; Japanese ones are decoded. */
// eslint-disable-next-line no-control-regex -- escape sequences begin with the escape character
const ESCAPES = /\x1b(?:\$\)[AC]|[()\-.][A-Z])/g;

/** What dcmjs makes of each byte of a text, and the byte it was: it reads texts as Windows-1252, in which all are told apart. */
const BYTE_OF = new Map(
  Array.from(
    { length: 256 },
    (_, byte) => [new TextDecoder('windows-1252').decode(Uint8Array.of(byte)), byte] as const,
  ),
);

/**
 * How to read the texts of a file, given the text of its SpecificCharacterSet. dcmjs decodes only those outside of sequences,
 * and none where several sets are named; names of segments and regions lie within. Undefined where its reading is right.
 */
export function textDecoderOf(characterSet: string): ((text: string) => string) | undefined {
  const terms = characterSet.split('\\').map((term) => term.trim());
  const keys = terms.map((term) => /(\d+)$/.exec(term.startsWith('ISO') ? term : '')?.[1] ?? term);
  // Of several sets that of several bytes a letter decides: it holds ASCII, which is what the others mostly are used for.
  const key = keys.find((one) => ['58', '87', '149', '159'].includes(one)) ?? keys.find((one) => one !== '');
  const label = key === undefined ? undefined : DECODERS[key];
  if (label === undefined || label === 'windows-1252') return undefined;
  const decoder = new TextDecoder(label);
  return (text) => {
    if (/^[ -~]*$/.test(text)) return text;
    const bytes = Array.from(text, (letter) => BYTE_OF.get(letter));
    // A text that did not come from bytes (none does) is left as it is.
    if (bytes.includes(undefined)) return text;
    const plain = label === 'iso-2022-jp' ? text : text.replace(ESCAPES, '');
    const kept = plain === text ? (bytes as number[]) : Array.from(plain, (letter) => BYTE_OF.get(letter) ?? 0x3f);
    return decoder.decode(Uint8Array.from(kept));
  };
}
