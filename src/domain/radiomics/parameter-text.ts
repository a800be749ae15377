import { isScalar, isSeq, parseDocument } from 'yaml';

/** Where a parameter file may hold standard deviations. */
const SIGMAS = [
  ['imageType', 'LoG', 'sigma'],
  ['setting', 'sigma'],
] as const;

/**
 * Parses the text of a pyradiomics parameter file (YAML or JSON). pyradiomics names LoG images by the text of their sigma,
 * and JavaScript has one number for `2` and `2.0`: standard deviations written as whole numbers are kept as texts.
 *
 * @throws YAMLParseError
 */
export function parseParameterText(text: string): unknown {
  // As PyYAML reads it: YAML 1.1 (`yes` is true), and of a key that occurs twice the last one counts, as `shape` in
  // pyradiomics' own example.
  const document = parseDocument(text, { version: '1.1', uniqueKeys: false });
  const [fault] = document.errors;
  if (fault !== undefined) throw fault;
  for (const path of SIGMAS) {
    const node = document.hasIn(path) ? document.getIn(path, true) : undefined;
    for (const item of isSeq(node) ? node.items : [node]) {
      if (isScalar(item) && typeof item.value === 'number' && /^\d+$/.test(item.source ?? '')) item.value = item.source;
    }
  }
  return document.toJS();
}
