// Lets this process import TypeScript of the checkout (`test/support`), which is never compiled to files. Types are removed,
// not checked: that is `npm test`'s business.
import { existsSync, readFileSync } from 'node:fs';
import { register } from 'node:module';
import { fileURLToPath } from 'node:url';
import typescript from 'typescript';

const OPTIONS = {
  module: typescript.ModuleKind.ESNext,
  target: typescript.ScriptTarget.ES2022,
  verbatimModuleSyntax: true,
  inlineSourceMap: true,
};

/** Makes `import()` of `.ts` files work from here on. */
export function importTypeScript() {
  register(import.meta.url);
}

/** Node's hook: sources import each other by the name of what they would be compiled to. */
export async function resolve(specifier, context, next) {
  if (specifier.startsWith('.') && specifier.endsWith('.js') && context.parentURL?.endsWith('.ts') === true) {
    const source = new URL(specifier.replace(/\.js$/, '.ts'), context.parentURL);
    if (existsSync(source)) return next(source.href, context);
  }
  return next(specifier, context);
}

/** Node's hook. */
export async function load(url, context, next) {
  if (!url.startsWith('file:') || !url.endsWith('.ts')) return next(url, context);
  const fileName = fileURLToPath(url);
  const { outputText: source } = typescript.transpileModule(readFileSync(fileName, 'utf8'), {
    compilerOptions: OPTIONS,
    fileName,
  });
  return { format: 'module', shortCircuit: true, source };
}
