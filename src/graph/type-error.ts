/** Types that nothing satisfies, so that the compiler prints a sentence. */

/** Its argument is the sentence. */
export interface GraphTypeError<Sentence extends string> {
  readonly "~graphTypeError": Sentence;
}

/** Its arguments are the sentence, and what the channel takes. */
export interface ChannelTypeError<Sentence extends string, Takes> {
  readonly "~graphTypeError": Sentence;
  readonly "~takes": Takes;
}
