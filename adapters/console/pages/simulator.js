// The simulator: phones and group chats side by side, each message on its way to the real daemon.
import { choose, chosen, languages, say } from './texts.js';
import { element, icon } from './notes.js';
import { Pane, badge } from './panes.js';
import { Wire, newId } from './wire.js';

const kinds = ['resident', 'group', 'volunteer', 'organiser'];
const longest = 400; // messages kept of one conversation
const narrow = matchMedia('(max-width: 44.99rem)');

const people = new Map();
const talks = new Map();
let session = null;
let active = 'resident';
let live = null;

// A conversation: the bot with one phone, or a group.
class Talk {
	constructor(key, kind, name, speaker) {
		Object.assign(this, { key, kind, name, speaker, index: talks.size });
		this.notes = new Map();
		this.unread = 0;
		this.draft = '';
		this.about = null;
	}

	inOrder() {
		return [...this.notes.values()].sort((a, b) => a.seq - b.seq);
	}

	after(id, note) {
		return this.notes.get(id)?.seq > note.seq;
	}

	// True if it was news to us.
	take(note) {
		const known = this.notes.get(note.id);
		if (known && known.rev >= note.rev) return false;
		this.notes.set(note.id, note);
		if (this.notes.size > longest) this.notes.delete(this.inOrder()[0].id);
		return true;
	}
}

const world = {
	names: (address) => people.get(address)?.name ?? (address ? address : say('linli')),
	person: (address) => people.get(address),
	hue: (address) => (address ? `hue-${[...people.keys()].indexOf(address) % 6}` : 'linli'),
	send,
	remove(talk, id) {
		talk.notes.delete(id);
		panes[talk.kind].drop(id);
	},
	seen,
};

const panes = Object.fromEntries(kinds.map((kind) => [kind, new Pane(kind, world)]));
const wire = new Wire({ state: takeState, note: takeNote, live: setLive, job: takeJob });

// ---- what comes in ----

function keyOf({ group, phone }) {
	return group ? `group ${group}` : `phone ${phone}`;
}

function takeState(state) {
	const restarted = session !== null && session !== state.session;
	session = state.session;
	for (const person of state.people) {
		people.set(person.address, person);
		const key = `phone ${person.address}`;
		if (!talks.has(key))
			talks.set(key, new Talk(key, person.role, person.name, person.address));
		talks.get(key).person = person;
	}
	const members = state.people.filter(({ role }) => role !== 'resident');
	for (const room of state.groups) {
		const key = `group ${room.id}`;
		if (!talks.has(key)) talks.set(key, new Talk(key, 'group', room.title, members[0]?.address));
		Object.assign(talks.get(key), { room, members });
	}
	if (restarted)
		for (const talk of talks.values())
			if (talk.notes.size > 0)
				talk.take({ id: `session-${session}`, divider: true, seq: session, rev: session });
	for (const note of state.notes) talks.get(keyOf(note))?.take(note);
	for (const kind of kinds)
		panes[kind].setTalks([...talks.values()].filter((talk) => talk.kind === kind));
	drawSwitch();
	drawSkips();
}

function takeNote(note) {
	const talk = talks.get(keyOf(note));
	if (!talk) return;
	const fresh = !talk.notes.has(note.id);
	if (!talk.take(note)) return;
	if (panes[talk.kind].talk === talk) panes[talk.kind].update(note);
	if (!fresh || note.press || onScreen(talk)) return;
	talk.unread++;
	document.getElementById('news').textContent = say('news', { name: talk.name });
	panes[talk.kind].tabs();
	drawSwitch();
}

// ---- what goes out ----

function send(body, talk, label) {
	const id = newId();
	const job = wire.send({ id, ...body });
	if (body.reaction) return;
	// Shown at once, after everything else, until the daemon tells its place.
	const note = {
		id, job, from: body.as, text: label ?? body.text, about: body.about, press: Boolean(body.button),
		at: Date.now(), seq: Number.MAX_SAFE_INTEGER, rev: 0, buttons: [], reactions: [],
	};
	talk.take(note);
	if (panes[talk.kind].talk === talk) panes[talk.kind].update(note);
}

function takeJob(job) {
	const talk = talks.get(job.body.group ? `group ${job.body.group}` : `phone ${job.body.as}`);
	const note = talk.notes.get(job.body.id);
	if (note?.job && panes[talk.kind].talk === talk) panes[talk.kind].update(note);
	if (!note && job.state !== 'sent')
		document.getElementById('news').textContent = say(job.state, { why: job.why || say('no_answer') });
}

// ---- what is on the screen ----

function onScreen(talk) {
	return panes[talk.kind].talk === talk && (!narrow.matches || active === talk.kind);
}

function seen(pane) {
	if (!pane.talk?.unread || !onScreen(pane.talk)) return;
	pane.talk.unread = 0;
	pane.tabs();
	drawSwitch();
}

function show(kind, focus) {
	active = kind;
	for (const other of kinds) panes[other].root.classList.toggle('active', other === kind);
	seen(panes[kind]);
	drawSwitch();
	if (panes[kind].talk) panes[kind].log.scrollTop = panes[kind].log.scrollHeight;
	if (focus) panes[kind].root.focus();
}

function unreadOf(kind) {
	return panes[kind].talks.reduce((sum, { unread }) => sum + unread, 0);
}

function drawSwitch() {
	const bar = document.getElementById('switch');
	const focused = bar.contains(document.activeElement) ? document.activeElement.dataset.kind : null;
	bar.replaceChildren(...kinds.filter((kind) => panes[kind].talks.length > 0).map((kind) => {
		const button = element('button', {
			type: 'button', 'data-kind': kind, 'aria-current': kind === active ? 'true' : null,
		}, icon(kind), element('span', { text: say(`tab_${kind}`) }), badge(unreadOf(kind)));
		button.addEventListener('click', () => show(kind, false));
		return button;
	}));
	if (focused) bar.querySelector(`[data-kind="${focused}"]`)?.focus();
	const unread = kinds.reduce((sum, kind) => sum + unreadOf(kind), 0);
	document.title = (unread ? `(${unread}) ` : '') + say('title');
}

function drawSkips() {
	document.getElementById('skips').replaceChildren(...kinds
		.filter((kind) => panes[kind].talks.length > 0).map((kind) => {
			const link = element('a', { href: `#pane-${kind}`, text: say(kind) });
			link.addEventListener('click', (event) => {
				event.preventDefault();
				show(kind, true);
			});
			return link;
		}));
}

function setLive(now) {
	live = now;
	const line = document.getElementById('live');
	line.className = `live ${live === null ? '' : live ? 'up' : 'down'}`;
	line.textContent = say(live === null ? 'connecting' : live ? 'live' : 'away');
}

function setLanguage(tag) {
	document.documentElement.lang = choose(tag);
	for (const part of document.querySelectorAll('[data-text]'))
		part.textContent = say(part.dataset.text);
	for (const part of document.querySelectorAll('[data-label]'))
		part.setAttribute('aria-label', say(part.dataset.label));
	for (const button of document.querySelectorAll('[data-language]'))
		button.setAttribute('aria-pressed', String(button.dataset.language === chosen()));
	for (const kind of kinds) panes[kind].texts();
	setLive(live);
	drawSwitch();
	drawSkips();
}

function remembered() {
	try {
		return localStorage.getItem('language');
	} catch {
		return null; // storage may be forbidden; the browser's language serves then
	}
}

function remember(tag) {
	try {
		localStorage.setItem('language', tag);
	} catch {
		/* as above */
	}
}

for (const kind of kinds) document.getElementById('panes').append(panes[kind].root);
for (const button of document.querySelectorAll('[data-language]'))
	button.addEventListener('click', () => {
		remember(button.dataset.language);
		setLanguage(button.dataset.language);
	});
const asked = new URLSearchParams(location.search).get('lang');
setLanguage(languages.includes(asked) ? asked : remembered() ?? navigator.language);
show(active, false);
narrow.addEventListener('change', () => show(active, false));
wire.connect();
