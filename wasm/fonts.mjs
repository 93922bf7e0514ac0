// Cuts the fonts for Chinese to size: node fonts.mjs DIR writes them and their
// licence into DIR. They are Noto Sans SC in two weights: the regular one has
// every character of GB 2312, its signs and what the app says; the semi-bold one,
// for headings and buttons, its 3,755 most frequent characters. Rarely used tables
// and hinting, which Go does not read, are left out: 1.3 and 0.7 MB after brotli.
import { copyFile, mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

// rows returns the characters of some rows of GB 2312, in which every character
// has a row and a place of 94. 1 to 3 hold signs, 16 to 55 the frequent
// characters, 56 to 87 the others.
export function rows(first, last) {
  const bytes = [];
  for (let row = first; row <= last; row++) {
    for (let place = 1; place <= 94; place++) bytes.push(0xa0 + row, 0xa0 + place);
  }
  return new TextDecoder('gbk').decode(new Uint8Array(bytes)).replace(/[\p{Co}\ufffd]/gu, '');
}

// said returns what the app's own texts are made of.
async function said(folder) {
  const texts = [];
  for (const name of await readdir(folder)) {
    if (/^strings.*\.go$/.test(name)) texts.push(await readFile(join(folder, name), 'utf8'));
  }
  return texts.join('').replace(/[\x00-\x7f]/g, '') + ' '; // a space between Chinese characters is of their font
}

const unused = ['BASE', 'DSIG', 'GDEF', 'GPOS', 'GSUB', 'VORG', 'vhea', 'vmtx'];

async function main(dir) {
  const { default: subset } = await import('subset-font');
  const here = fileURLToPath(new URL('.', import.meta.url));
  const source = join(here, 'node_modules', '@expo-google-fonts', 'noto-sans-sc');
  const texts = await said(join(here, '..', 'app', 'view'));
  const write = async (name, from, characters) => {
    const whole = await readFile(join(source, from));
    const font = await subset(whole, characters + texts, { targetFormat: 'truetype', noHinting: true, noLayoutClosure: true, keepFeatures: [], dropTables: unused });
    await writeFile(join(dir, `${name}.tmp`), font);
    await rename(join(dir, `${name}.tmp`), join(dir, name));
  };
  await mkdir(dir, { recursive: true });
  await write('noto-sans-sc-semibold.ttf', '600SemiBold/NotoSansSC_600SemiBold.ttf', rows(1, 3) + rows(16, 55));
  await write('noto-sans-sc-regular.ttf', '400Regular/NotoSansSC_400Regular.ttf', rows(1, 3) + rows(16, 87));
  // The licence comes last: that it is there tells that the rest is.
  await copyFile(join(source, 'LICENSE_FONT'), join(dir, 'noto-sans-sc-license.txt'));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(process.argv[2]);
