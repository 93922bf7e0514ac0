// Uses Hugging Face's own client on a folder in its cache's layout. Reads {"hub",
// "repo", "commit", "files", "cache"} from standard input, brings the files of a
// repository into the folder where they are not there yet, and prints what the
// client then finds in it.
import { mkdir } from 'node:fs/promises';
import { downloadFileToCacheDir, scanCacheDir } from '@huggingface/hub';

async function readInput() {
  let text = '';
  for await (const chunk of process.stdin.setEncoding('utf8')) text += chunk;
  return JSON.parse(text);
}

const { hub, repo, commit, files, cache } = await readInput();
console.debug = () => {}; // it tells of each download
for (const path of files) await downloadFileToCacheDir({ repo, path, revision: commit, hubUrl: hub, cacheDir: cache });
await mkdir(`${cache}/models--${repo.replace('/', '--')}/refs`, { recursive: true }); // its scan needs it, its download makes none
const { repos, warnings } = await scanCacheDir(cache);
process.stdout.write(JSON.stringify({
  warnings: warnings.map(String),
  repos: repos.map(({ id, filesCount, size, revisions }) => ({
    name: id.name, files: filesCount, size, revisions: revisions.map(({ commitOid, refs }) => ({ commit: commitOid, refs })),
  })),
}));
