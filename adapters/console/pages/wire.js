// Talks to the daemon: live events in, messages out; nothing is lost and nothing doubled.
const longest = 5000;

export function newId() {
	const bytes = crypto.getRandomValues(new Uint8Array(12));
	return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

export class Wire {
	// on.state(json), on.note(note), on.live(true|false), on.job(job)
	constructor(on) {
		this.on = on;
		this.queues = new Map();
		this.sleepers = new Set();
		this.failures = 0;
	}

	connect() {
		const source = new EventSource('events');
		source.addEventListener('hello', () => this.#loadState(source));
		source.addEventListener('note', (event) => this.on.note(JSON.parse(event.data)));
		source.addEventListener('error', () => this.#again(source));
	}

	#again(source) {
		// The browser's own retry gives up after an answer that is not 200; ours does not.
		source.close();
		this.on.live(false);
		this.failures++;
		setTimeout(() => this.connect(), Math.min(250 * 2 ** this.failures, longest));
	}

	// Events are open already, so what happens meanwhile comes as notes.
	async #loadState(source) {
		try {
			const answer = await fetch('state', { cache: 'no-store' });
			if (!answer.ok) throw new Error(String(answer.status));
			this.on.state(await answer.json());
			this.failures = 0;
			this.on.live(true);
			for (const wake of this.sleepers) wake();
		} catch {
			this.#again(source);
		}
	}

	// One after the other for each speaker in each conversation: order is kept.
	send(body) {
		const job = { body, state: 'sending', why: null };
		const key = `${body.as} ${body.group ?? ''}`;
		const before = this.queues.get(key) ?? Promise.resolve();
		this.queues.set(key, before.then(() => this.#deliver(job)));
		return job;
	}

	async #deliver(job) {
		for (let tries = 0; ; tries++) {
			const answer = await this.#post(job.body);
			if (answer !== null && answer.status === 202) {
				job.state = 'sent';
				this.on.job(job);
				return;
			}
			if (answer !== null && answer.status >= 400 && answer.status < 500) {
				job.state = 'failed';
				job.why = (await answer.text().catch(() => '')).trim();
				this.on.job(job);
				return;
			}
			job.state = 'waiting';
			this.on.job(job);
			await this.#sleep(Math.min(500 * 2 ** tries, longest));
		}
	}

	// null: no answer came; whether it arrived is not known, but its id stays the same.
	async #post(body) {
		try {
			return await fetch('send', {
				method: 'POST',
				headers: { 'Content-Type': 'application/json' },
				body: JSON.stringify(body),
				signal: AbortSignal.timeout(10000),
			});
		} catch {
			return null;
		}
	}

	#sleep(ms) {
		return new Promise((wake) => {
			const done = () => {
				clearTimeout(timer);
				this.sleepers.delete(done);
				wake();
			};
			const timer = setTimeout(done, ms);
			this.sleepers.add(done);
		});
	}
}
