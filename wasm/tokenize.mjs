// Encodes texts with Hugging Face's own tokenizer. Reads {"tokenizer", "config",
// "texts"} from standard input, the contents of tokenizer.json and of
// tokenizer_config.json, and prints a JSON array of the ids of each text.
import { Tokenizer } from '@huggingface/tokenizers';

async function readInput() {
  let text = '';
  for await (const chunk of process.stdin.setEncoding('utf8')) text += chunk;
  return JSON.parse(text);
}

const { tokenizer, config, texts } = await readInput();
const encoder = new Tokenizer(tokenizer, config);
process.stdout.write(JSON.stringify(texts.map((text) => encoder.encode(text).ids)));
