import * as library from '@huggingface/tokenizers';

/** What is used of a Hugging Face tokenizer. */
export interface HuggingFaceTokenizer {
  encode(text: string, options: { readonly add_special_tokens: boolean }): { readonly ids: readonly number[] };
  /** Only tests decode all at once. */
  decode(ids: readonly number[], options: { readonly skip_special_tokens: boolean }): string;
  token_to_id(token: string): number | undefined;
}

interface TokenizersLibrary {
  readonly Tokenizer: new (
    tokenizer: Readonly<Record<string, unknown>>,
    config: Readonly<Record<string, unknown>>,
  ) => HuggingFaceTokenizer;
}

/** The types of the package (0.2.0) name no file endings, so a CommonJS project sees `any`: these are ours. */
export const { Tokenizer } = library as unknown as TokenizersLibrary;
