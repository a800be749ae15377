/** A value of an answer in XML: lists are sets of `item`. */
export type XmlValue =
  string | number | boolean | undefined | readonly XmlValue[] | { readonly [name: string]: XmlValue };

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

/** An element as EC2 writes it; nothing for a value that is not there. */
export function element(name: string, value: XmlValue): string {
  if (value === undefined) return '';
  if (Array.isArray(value)) {
    return `<${name}>${(value as readonly XmlValue[]).map((item) => element('item', item)).join('')}</${name}>`;
  }
  if (typeof value === 'object') {
    const inner = Object.entries(value).map(([child, content]) => element(child, content));
    return `<${name}>${inner.join('')}</${name}>`;
  }
  return `<${name}>${escaped(String(value))}</${name}>`;
}

/** A form's fields as nested values: `Filter.1.Value.2=x` is the second value of the first filter. */
export type FormValue = string | readonly FormValue[] | { readonly [name: string]: FormValue };

export function parseForm(body: string): Readonly<Record<string, FormValue>> {
  const root: Record<string, unknown> = {};
  for (const [name, value] of new URLSearchParams(body)) {
    const path = name.split('.');
    let at = root;
    for (const part of path.slice(0, -1)) at = (at[part] ??= {}) as Record<string, unknown>;
    at[path.at(-1) ?? ''] = value;
  }
  const listed = (value: unknown): FormValue => {
    if (typeof value !== 'object' || value === null) return String(value);
    const entries = Object.entries(value);
    if (entries.every(([key]) => /^\d+$/.test(key))) {
      return entries.sort(([a], [b]) => Number(a) - Number(b)).map(([, item]) => listed(item));
    }
    return Object.fromEntries(entries.map(([key, item]) => [key, listed(item)]));
  };
  return listed(root) as Readonly<Record<string, FormValue>>;
}
