// Unpacks npm's compressed Chromium, and the libraries a bare machine lacks, into the folder that is named.
// Usage: node unpack.mjs FOLDER
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { tmpdir } from "node:os";

const target = resolve(process.argv[2]);
const packed = join(dirname(fileURLToPath(import.meta.url)), "node_modules", "@sparticuz", "chromium", "bin");

// The package unpacks into the temporary directory only, under names that others may have taken.
process.env.TMPDIR = mkdtempSync(join(tmpdir(), "twin-chromium-"));
const { default: chromium, inflate } = await import("@sparticuz/chromium");
const program = await chromium.executablePath(packed);

rmSync(target, { recursive: true, force: true });
mkdirSync(target, { recursive: true });
cpSync(process.env.TMPDIR, target, { recursive: true });
if (inflate && existsSync(join(packed, "al2023.tar.br"))) {
    cpSync(await inflate(join(packed, "al2023.tar.br")), join(target, "al2023"), { recursive: true });
}
rmSync(process.env.TMPDIR, { recursive: true, force: true });

// Found under the name every Chromium has, with the libraries it brings along.
const starter = join(target, "chromium");
renameSync(starter, join(target, "headless-shell"));
writeFileSync(
    starter,
    `#!/bin/sh\nhere=$(dirname "$0")\nLD_LIBRARY_PATH="$here/al2023/lib:$LD_LIBRARY_PATH" exec "$here/headless-shell" "$@"\n`,
);
chmodSync(starter, 0o755);
console.log(program, "->", starter);
