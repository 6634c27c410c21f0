import { existsSync } from 'node:fs';
import { register } from 'node:module';
import { extname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { CliError } from '../error.js';

const STATUS = 2;

/**
 * A loader of Node for files that a person wrote: TypeScript loses its types on the way in, and packages of the house
 * are found from here where they are not from there.
 */
const hooks = (typescript: string, here: string): string => `
import { readFile } from 'node:fs/promises';
import ts from ${JSON.stringify(typescript)};
export async function resolve(specifier, context, next) {
  try {
    return await next(specifier, context);
  } catch (error) {
    if (!specifier.startsWith('@vmloom/')) throw error;
    return next(specifier, { ...context, parentURL: ${JSON.stringify(here)} });
  }
}
export async function load(url, context, next) {
  if (!/^file:.*\\.m?ts$/.test(url)) return next(url, context);
  const text = await readFile(new URL(url), 'utf8');
  const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 };
  const { outputText, diagnostics } = ts.transpileModule(text, { compilerOptions, fileName: url, reportDiagnostics: true });
  const fault = diagnostics?.find(({ category }) => category === ts.DiagnosticCategory.Error);
  if (fault !== undefined) throw new SyntaxError(ts.flattenDiagnosticMessageText(fault.messageText, ' '));
  return { format: 'module', source: outputText, shortCircuit: true };
}`;

let registered = false;

/** The default export of a .ts, .mts, .js or .mjs file. @throws CliError with status 2 */
export async function loadUserFile(file: string): Promise<unknown> {
  const path = resolve(file);
  if (!['.ts', '.mts', '.js', '.mjs'].includes(extname(path))) {
    throw new CliError(`${file} is neither a .ts nor a .js file`, STATUS);
  }
  if (!existsSync(path)) throw new CliError(`there is no file ${file}`, STATUS);
  if (!registered) {
    registered = true;
    const source = hooks(import.meta.resolve('typescript'), import.meta.url);
    register(`data:text/javascript,${encodeURIComponent(source)}`);
  }
  let module: { readonly default?: unknown };
  try {
    module = (await import(pathToFileURL(path).href)) as typeof module;
  } catch (error) {
    const [line] = (error instanceof Error ? error.message : String(error)).split('\n');
    throw new CliError(`${file} cannot be loaded: ${line}`, STATUS);
  }
  if (module.default === undefined) throw new CliError(`${file} has no default export`, STATUS);
  return module.default;
}
