// Draws one message, whoever wrote it.
import { say, clock, tongue } from './texts.js';
import { count } from './parts.js';

export function element(name, attributes = {}, ...children) {
	const made = document.createElement(name);
	for (const [key, value] of Object.entries(attributes)) {
		if (value === false || value === null || value === undefined) continue;
		if (key === 'text') made.textContent = value;
		else made.setAttribute(key, value === true ? '' : value);
	}
	made.append(...children.filter((child) => child !== null));
	return made;
}

export function icon(name) {
	return document.getElementById('icons').content.querySelector(`[data-icon="${name}"]`)
		.cloneNode(true);
}

export function initial(name) {
	return [...name.trim()][0]?.toUpperCase() ?? '?';
}

function words(text, kind) {
	return element('p', { class: kind, lang: tongue(text), text });
}

// The message that this one answers, shortened; pressing it goes there.
function quote(note, talk, names) {
	if (!note.about || note.press) return null;
	const about = talk.notes.get(note.about);
	const text = about ? about.text.split('\n')[0] : say('gone_message');
	const made = element('button', {
		type: 'button', class: 'quote', 'data-go': note.about, disabled: !about,
		title: about ? say('go_to_quote') : null,
	});
	if (about) made.append(element('b', { text: names(about.from) }), ' ');
	made.append(element('span', { lang: tongue(text), text }));
	return made;
}

function buttons(note) {
	if (note.buttons.length === 0) return null;
	const row = element('div', { class: 'buttons', role: 'group', 'aria-label': say('card_buttons') });
	for (const { label, data } of note.buttons)
		row.append(element('button', {
			type: 'button', class: 'press', 'data-press': data, lang: tongue(label), text: label,
		}));
	return row;
}

function tools(note, names, speaker) {
	const given = note.reactions.filter(({ emoji }) => emoji === '👍');
	const mine = given.some(({ by }) => by === speaker?.address);
	const others = note.reactions.filter(({ emoji }) => emoji !== '👍').map(({ emoji }) => emoji);
	return element('div', { class: 'tools' },
		element('button', {
			type: 'button', class: 'plain reply', 'data-reply': '',
			'aria-label': say('reply_to', { name: names(note.from) }),
		}, icon('reply'), element('span', { text: say('reply') })),
		element('button', {
			type: 'button', class: 'plain react', 'data-react': '👍',
			'aria-pressed': String(mine), 'aria-label': `${say('react')} ${given.length || ''}`.trim(),
			title: given.map(({ by }) => names(by)).join(', ') || say('react'),
		}, icon('react'),
		given.length ? element('span', { class: 'number', text: given.length }) : null),
		others.length ? element('span', { class: 'others', text: others.join(' ') }) : null);
}

function meta(note, talk) {
	const facts = [note.at ? clock(note.at) : null, note.edited ? say('edited') : null];
	if (talk.person?.role === 'resident' && !note.from && !note.job)
		facts.push(say('parts', { count: count(note.text).parts }));
	const line = element('p', { class: 'meta' }, facts.filter(Boolean).join(' · '));
	if (note.job && note.job.state !== 'sent') {
		const { state, why } = note.job;
		line.append(element('span', { class: `state ${state}`,
			text: say(state, { why: why || say('no_answer') }) }));
		if (state === 'failed')
			line.append(element('button', { type: 'button', class: 'plain remove',
				'data-remove': note.id, text: say('remove') }));
	}
	return line;
}

// talk: {person|room, notes}; names(address|undefined) tells the name; hue(address) a class.
export function draw(note, talk, { names, hue, speaker }) {
	const who = names(note.from);
	if (note.press) {
		const said = note.text ? say('pressed', { name: who, label: note.text })
			: say('pressed_some', { name: who });
		return [element('p', { class: 'pressed', text: said }),
			note.job && note.job.state !== 'sent' ? meta(note, talk) : null].filter(Boolean);
	}
	const bubble = element('div', { class: 'bubble' }, quote(note, talk, names),
		words(note.text, 'text'), talk.room ? buttons(note) : null);
	if (!talk.room)
		return [element('span', { class: 'unseen', text: `${who}: ` }), bubble, meta(note, talk)];
	return [
		element('span', { class: `face ${hue(note.from)}`, 'aria-hidden': 'true',
			text: note.from ? initial(who) : '邻' }),
		element('div', { class: 'said' },
			element('div', { class: 'by' }, element('b', { text: who }), ' ', meta(note, talk)),
			bubble, note.job ? null : tools(note, names, speaker)),
	];
}
