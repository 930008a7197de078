// Plays journals in WebAssembly, and compares the digest of every input with the one of the native run.
//
//   node compare.mjs MODULE DIRECTORY...   each directory with NAME.journal and NAME.digests

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const [path, ...directories] = process.argv.slice(2);
const { instance } = await WebAssembly.instantiate(readFileSync(path), {});
const { push, play, byte } = instance.exports;

function digests(journal) {
  for (const each of journal) push(each);
  return Buffer.from(Array.from({ length: play() }, (_, place) => byte(place))).toString();
}

let compared = 0;
for (const directory of directories) {
  for (const name of readdirSync(directory).filter((each) => each.endsWith(".journal")).sort()) {
    const expected = readFileSync(join(directory, name.replace(/journal$/, "digests")), "utf8").split("\n");
    const actual = digests(readFileSync(join(directory, name))).split("\n");
    const place = expected.findIndex((line, place) => line !== actual[place]);
    if (place >= 0 || expected.length !== actual.length) {
      console.error(`${name}: native ${expected[place]}, wasm32 ${actual[place]}`);
      process.exit(1);
    }
    console.log(`${name}: ${expected.length - 2} inputs, the same`);
    compared += 1;
  }
}
if (compared < 2) {
  console.error(`only ${compared} journals were compared`);
  process.exit(1);
}
