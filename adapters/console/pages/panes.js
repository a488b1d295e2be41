// A pane: one kind of phone, or the groups; shows one conversation of its own at a time.
import { say, tongue } from './texts.js';
import { count } from './parts.js';
import { draw, element } from './notes.js';

const placeholders = { resident: 'placeholder_phone', group: 'placeholder_group' };

export class Pane {
	// world: {names, hue, send(body, talk), remove(talk, id), seen(pane)}
	constructor(kind, world) {
		this.kind = kind;
		this.world = world;
		this.talks = [];
		this.talk = null;
		this.root = document.getElementById('pane').content.firstElementChild.cloneNode(true);
		this.root.id = `pane-${kind}`;
		this.root.classList.add(kind);
		const find = (selector) => this.root.querySelector(selector);
		this.title = find('h2');
		this.title.id = `title-${kind}`;
		this.root.setAttribute('aria-labelledby', this.title.id);
		this.who = find('.who');
		this.screen = find('.screen');
		this.log = find('.log');
		this.form = find('form');
		this.field = find('textarea');
		this.counter = find('.count');
		this.counter.id = `count-${kind}`;
		this.speakers = find('.speakers');
		this.replying = find('.replying');
		this.#listen();
	}

	#listen() {
		this.form.addEventListener('submit', (event) => {
			event.preventDefault();
			this.#submit();
		});
		this.field.addEventListener('keydown', (event) => {
			// Enter that ends a Chinese input method's word is not a send.
			if (event.key === 'Enter' && !event.shiftKey && !event.isComposing && event.keyCode !== 229) {
				event.preventDefault();
				this.#submit();
			}
			if (event.key === 'Escape' && this.talk.about) this.#replyTo(null);
		});
		this.field.addEventListener('input', () => this.#typed());
		this.replying.querySelector('button').addEventListener('click', () => this.#replyTo(null));
		this.who.addEventListener('keydown', (event) => this.#roveTabs(event));
		this.log.addEventListener('keydown', (event) => this.#roveNotes(event));
		this.log.addEventListener('focusin', (event) => this.#current(event.target.closest('article')));
		this.log.addEventListener('click', (event) => this.#clicked(event));
		this.speakers.addEventListener('change', (event) => {
			this.talk.speaker = event.target.value;
			this.#labels();
			this.refresh();
		});
	}

	// ---- which conversation ----

	setTalks(talks) {
		this.talks = talks;
		this.root.hidden = talks.length === 0;
		this.talk = talks.find(({ key }) => key === this.talk?.key) ?? talks[0] ?? null;
		this.texts();
	}

	select(talk, focus) {
		this.talk = talk;
		this.texts();
		if (focus) this.who.querySelector('[aria-selected="true"]').focus();
	}

	// Everything in the pane that is words: after a change of language or conversation.
	texts() {
		this.title.textContent = say(this.kind);
		if (!this.talk) return;
		this.tabs();
		this.#more();
		this.#chooseSpeaker();
		this.#labels();
		this.field.value = this.talk.draft;
		this.#typed();
		this.#replyTo(this.talk.about, false);
		this.refresh();
		this.world.seen(this);
	}

	tabs() {
		const focused = document.activeElement?.closest('.who') === this.who;
		this.who.setAttribute('aria-label', this.kind === 'group' ? say('choose_group')
			: say('phones_of', { name: say(this.kind) }));
		this.who.replaceChildren(...this.talks.map((talk) => {
			const on = talk === this.talk;
			const tab = element('button', {
				type: 'button', role: 'tab', 'aria-selected': String(on), tabindex: on ? 0 : -1,
				id: `tab-${talk.index}`, 'aria-controls': `log-${this.kind}`,
			}, element('span', { lang: tongue(talk.name), text: talk.name }), badge(talk.unread));
			tab.addEventListener('click', () => this.select(talk, true));
			return tab;
		}));
		this.log.id = `log-${this.kind}`;
		const on = this.who.querySelector('[aria-selected="true"]');
		this.who.scrollLeft = on.offsetLeft - (this.who.clientWidth - on.offsetWidth) / 2;
		if (focused) on.focus();
	}

	#more() {
		const { talk } = this;
		this.root.querySelector('.more').textContent = talk.room
			? say('members', { count: talk.members.length })
			: `${say(this.kind === 'resident' ? 'sms' : 'chat')} · ${talk.person.address}`;
	}

	#chooseSpeaker() {
		const { talk } = this;
		this.speakers.hidden = !talk.room;
		if (!talk.room) return;
		this.speakers.querySelector('legend').textContent = say('speak_as');
		this.speakers.querySelector('div').replaceChildren(...talk.members.map((person) =>
			element('label', {}, element('input', {
				type: 'radio', name: `speaker-${talk.index}`, value: person.address,
				checked: person.address === talk.speaker,
			}), element('span', { lang: tongue(person.name), text: person.name }))));
	}

	#labels() {
		const { talk } = this;
		this.field.setAttribute('aria-label', say('message_as', { name: this.world.names(talk.speaker) }));
		this.field.setAttribute('aria-describedby', this.counter.id);
		this.field.placeholder = say(placeholders[this.kind] ?? 'placeholder_chat',
			{ name: this.world.names(talk.speaker) });
		this.form.querySelector('.send').setAttribute('aria-label', say('send'));
		this.log.setAttribute('aria-label', say('log', { name: talk.name }));
		this.replying.querySelector('button').setAttribute('aria-label', say('cancel_reply'));
	}

	#roveTabs(event) {
		const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
		const at = this.talks.indexOf(this.talk);
		let to = null;
		if (step) to = (at + step + this.talks.length) % this.talks.length;
		if (event.key === 'Home') to = 0;
		if (event.key === 'End') to = this.talks.length - 1;
		if (to === null) return;
		event.preventDefault();
		this.select(this.talks[to], true);
	}

	// ---- writing ----

	#typed() {
		const text = this.field.value;
		this.talk.draft = text;
		this.field.style.height = 'auto';
		this.field.style.height = `${Math.min(this.field.scrollHeight + 2, 140)}px`;
		this.counter.hidden = this.kind !== 'resident';
		this.counter.textContent = text.trim() ? say('count', count(text.trim())) : '';
	}

	#submit() {
		const text = this.field.value.trim();
		if (text === '') return;
		const { talk } = this;
		this.world.send({
			as: talk.speaker, group: talk.room?.id, text, about: talk.about ?? undefined,
		}, talk);
		this.field.value = '';
		this.#replyTo(null, false);
		this.#typed();
	}

	#replyTo(id, focus = true) {
		const note = id === null ? null : this.talk.notes.get(id) ?? null;
		this.talk.about = note?.id ?? null;
		this.replying.hidden = note === null;
		if (note)
			this.replying.querySelector('p').textContent = say('replying', {
				name: this.world.names(note.from), text: note.text.split('\n')[0],
			});
		if (focus) this.field.focus();
	}

	// ---- reading ----

	#articles() {
		return [...this.log.querySelectorAll('article')];
	}

	// One message takes part in the Tab order; arrows choose which.
	#current(article) {
		if (!article) return;
		for (const other of this.#articles()) reachable(other, other === article);
	}

	#roveNotes(event) {
		const articles = this.#articles();
		const at = articles.indexOf(event.target.closest('article'));
		const to = { ArrowUp: at - 1, ArrowDown: at + 1, Home: 0, End: articles.length - 1 }[event.key];
		if (to === undefined || at < 0) return;
		event.preventDefault();
		articles[Math.max(0, Math.min(to, articles.length - 1))].focus();
	}

	#clicked(event) {
		const button = event.target.closest('button');
		if (!button) return;
		const { talk } = this;
		const about = button.closest('article')?.dataset.id;
		const { press, react, reply, go, remove, example } = button.dataset;
		const body = { as: talk.speaker, group: talk.room?.id, about };
		if (press !== undefined) this.world.send({ ...body, button: press }, talk, button.textContent);
		if (react !== undefined && button.getAttribute('aria-pressed') !== 'true')
			this.world.send({ ...body, reaction: react }, talk);
		if (reply !== undefined) this.#replyTo(about);
		if (go !== undefined) this.#articles().find(({ dataset }) => dataset.id === go)?.focus();
		if (remove !== undefined) this.world.remove(talk, remove);
		if (example !== undefined) {
			this.field.value = button.textContent;
			this.#typed();
			this.field.focus();
		}
	}

	#empty() {
		const parts = [element('p', { text: say(`empty_${this.kind}`) })];
		if (this.kind === 'resident')
			parts.push(element('p', { class: 'try' }, say('try')),
				element('button', { type: 'button', class: 'example', 'data-example': '',
					text: say('try_resident') }));
		return element('div', { class: 'empty' }, ...parts);
	}

	#article(note) {
		const { talk, world } = this;
		const mine = !talk.room && note.from && !note.press;
		const made = element('article', {
			'data-id': note.id, tabindex: -1,
			class: ['note', mine && 'mine', !note.from && 'bot', note.press && 'press-note',
				talk.room && 'in-group', note.job && 'pending'].filter(Boolean).join(' '),
		});
		made.append(...draw(note, talk, { ...world, speaker: world.person(talk.speaker) }));
		reachable(made, false);
		return made;
	}

	// All of it anew, silently.
	refresh() {
		const focused = this.log.contains(document.activeElement)
			? document.activeElement.closest('article')?.dataset.id : null;
		this.log.setAttribute('aria-live', 'off');
		const children = [];
		for (const note of this.talk.inOrder()) {
			if (note.divider) children.push(element('p', { class: 'divider', text: say('new_session') }));
			else children.push(this.#article(note));
		}
		this.log.replaceChildren(...(children.length ? children : [this.#empty()]));
		this.#current(this.#articles().find(({ dataset }) => dataset.id === focused)
			?? this.#articles().at(-1));
		if (focused) this.#articles().find(({ dataset }) => dataset.id === focused)?.focus();
		this.log.scrollTop = this.log.scrollHeight;
		requestAnimationFrame(() => this.log.setAttribute('aria-live', 'polite'));
	}

	// One message, new or changed; what had the focus keeps it.
	update(note) {
		const old = this.#articles().find(({ dataset }) => dataset.id === note.id);
		const fresh = this.#article(note);
		// What was pending has its place only now.
		const placed = old?.classList.contains('pending') && !note.job;
		if (placed) old.remove();
		if (!old || placed) {
			const low = this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < 80;
			const next = this.#articles().find(({ dataset }) => this.talk.after(dataset.id, note));
			this.log.querySelector('.empty')?.remove();
			if (next) next.before(fresh);
			else this.log.append(fresh);
			if (!this.log.contains(document.activeElement)) this.#current(fresh);
			if (low || (note.from && note.from === this.talk.speaker))
				this.log.scrollTop = this.log.scrollHeight;
			return;
		}
		const within = old.contains(document.activeElement);
		const current = old.tabIndex === 0;
		old.className = fresh.className;
		old.replaceChildren(...fresh.childNodes);
		reachable(old, current);
		if (within) old.focus();
	}

	drop(id) {
		this.#articles().find(({ dataset }) => dataset.id === id)?.remove();
	}
}

function reachable(article, on) {
	article.tabIndex = on ? 0 : -1;
	for (const button of article.querySelectorAll('button')) button.tabIndex = on ? 0 : -1;
}

export function badge(unread) {
	if (!unread) return null;
	return element('span', { class: 'badge' },
		element('span', { 'aria-hidden': 'true', text: unread > 99 ? '99+' : unread }),
		element('span', { class: 'unseen', text: ` ${say('unread', { count: unread })}` }));
}
