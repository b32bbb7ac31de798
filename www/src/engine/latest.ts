// Questions that come faster than their answers, as from a slider: one is asked at a time, then the newest.

export class Latest<Question, Answer> {
  readonly #ask: (question: Question) => Promise<Answer>;
  readonly #onanswer: (answer: Answer, question: Question) => void;
  readonly #onerror: (thrown: unknown, question: Question) => void;
  #next: { question: Question } | null = null;
  #isAsking = false;

  constructor(
    ask: (question: Question) => Promise<Answer>,
    onanswer: (answer: Answer, question: Question) => void,
    onerror: (thrown: unknown, question: Question) => void,
  ) {
    this.#ask = ask;
    this.#onanswer = onanswer;
    this.#onerror = onerror;
  }

  /** Asks as soon as the question before is answered; a question that waits for that gives way to this one. */
  ask(question: Question): void {
    this.#next = { question };
    if (!this.#isAsking) void this.#run();
  }

  async #run(): Promise<void> {
    this.#isAsking = true;
    while (this.#next) {
      const { question } = this.#next;
      this.#next = null;
      try {
        this.#onanswer(await this.#ask(question), question);
      } catch (thrown) {
        this.#onerror(thrown, question);
      }
    }
    this.#isAsking = false;
  }
}
