// A small Telegram Bot API server. Its answers are those of core.telegram.org/bots/api and of
// tdlib/telegram-bot-api (Client.cpp); telegram_double.test.mjs lets grammy, a bot library that is
// not ours, be the judge of it.
import { once } from 'node:events';
import http from 'node:http';

import { atEnd } from './lib.mjs';

export const token = '123456789:AAH-double_of_a_token';
const me = { id: 123456789, is_bot: true, first_name: '邻里', username: 'linli_test_bot',
	can_join_groups: true, can_read_all_group_messages: true, supports_inline_queries: false };
// What comes without being asked for: everything but these.
const onRequest = ['chat_member', 'message_reaction', 'message_reaction_count'];

const error = (code, description, parameters) =>
	({ status: code, body: { ok: false, error_code: code, description, ...(parameters && { parameters }) } });
const ok = (result) => ({ status: 200, body: { ok: true, result } });

const markupOf = (markup) => (markup?.inline_keyboard?.length ? { reply_markup: markup } : {});

export async function startTelegram(t, options = {}) {
	const updates = [], calls = [], faults = [], chats = new Map();
	let nextUpdate = options.firstUpdate ?? 700000001, nextMessage = 1, nextCallback = 1;
	let allowed, waiting, webhook = '';

	const wanted = (update) => {
		const kind = Object.keys(update).find((name) => name !== 'update_id');
		return allowed?.length ? allowed.includes(kind) : !onRequest.includes(kind);
	};
	const give = () => {
		if (!waiting || !updates.length)
			return;
		const { answer, limit, timer } = waiting;
		waiting = undefined;
		clearTimeout(timer);
		answer(ok(updates.slice(0, limit)));
	};
	const push = (kind, content) => {
		const update = { update_id: nextUpdate++, [kind]: content };
		if (wanted(update))
			updates.push(update);
		give();
		return content;
	};
	const message = (chat, from, rest) => {
		const made = { message_id: nextMessage++, from, chat, date: Math.floor(Date.now() / 1000), ...rest };
		if (!chats.has(chat.id))
			chats.set(chat.id, { chat, messages: new Map() });
		chats.get(chat.id).messages.set(made.message_id, made);
		return made;
	};

	const methods = {
		getMe: () => ok(me),
		deleteWebhook: () => { webhook = ''; return ok(true); },
		setWebhook: ({ url }) => { webhook = url; return ok(true); },
		answerCallbackQuery: ({ callback_query_id: id }) => (/^cb-\d+$/.test(id ?? '') ? ok(true)
			: error(400, 'Bad Request: query is too old and response timeout expired or query ID is invalid')),
		getUpdates({ offset = 0, limit = 100, timeout = 0, allowed_updates }) {
			if (webhook)
				return error(409, "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first");
			if (waiting) {
				clearTimeout(waiting.timer);
				waiting.answer(error(409, 'Conflict: terminated by other getUpdates request; make sure that only one bot instance is running'));
				waiting = undefined;
			}
			allowed = allowed_updates ?? allowed;
			while (updates.length && updates[0].update_id < offset)
				updates.shift();
			if (updates.length || !timeout)
				return ok(updates.slice(0, limit));
			return new Promise((answer) => {
				const timer = setTimeout(() => { waiting = undefined; answer(ok([])); }, timeout * 1000);
				waiting = { answer, limit, timer };
			});
		},
		sendMessage({ chat_id, text, reply_parameters, reply_markup }) {
			const known = chats.get(Number(chat_id));
			if (!known)
				return error(400, 'Bad Request: chat not found');
			if (known.movedTo)
				return error(400, 'Bad Request: group chat was upgraded to a supergroup chat',
					{ migrate_to_chat_id: known.movedTo });
			if (known.blocked)
				return error(403, 'Forbidden: bot was blocked by the user');
			if (!text)
				return error(400, 'Bad Request: message text is empty');
			if (text.length > 4096)
				return error(400, 'Bad Request: message is too long');
			const quoted = known.messages.get(reply_parameters?.message_id);
			if (reply_parameters && !quoted && !reply_parameters.allow_sending_without_reply)
				return error(400, 'Bad Request: message to be replied not found');
			return ok(message(known.chat, me, { text, ...(quoted && { reply_to_message: quoted }), ...markupOf(reply_markup) }));
		},
		editMessageText({ chat_id, message_id, text, reply_markup }) {
			const known = chats.get(Number(chat_id))?.messages.get(Number(message_id));
			if (!known)
				return error(400, 'Bad Request: message to edit not found');
			if (known.from.id !== me.id)
				return error(400, "Bad Request: message can't be edited");
			const same = known.text === text
				&& JSON.stringify(known.reply_markup) === JSON.stringify(markupOf(reply_markup).reply_markup);
			if (same)
				return error(400, 'Bad Request: message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message');
			delete known.reply_markup;
			Object.assign(known, { text, edit_date: Math.floor(Date.now() / 1000) }, markupOf(reply_markup));
			return ok(known);
		},
		setMessageReaction: ({ chat_id, message_id }) => (chats.get(Number(chat_id))?.messages.has(Number(message_id))
			? ok(true) : error(400, 'Bad Request: message to react not found')),
	};

	const server = http.createServer(async (request, response) => {
		const chunks = [];
		for await (const chunk of request)
			chunks.push(chunk);
		const [, given, method] = request.url.match(/^\/bot([^/]*)\/(\w+)$/) ?? [];
		const body = chunks.length ? JSON.parse(Buffer.concat(chunks)) : {};
		calls.push({ method, body, at: Date.now() });
		const fault = faults.findIndex((row) => row.method === method);
		let answer;
		if (given !== token)
			answer = error(401, 'Unauthorized');
		else if (fault >= 0)
			answer = faults.splice(fault, 1)[0].answer;
		else
			answer = await methods[method]?.(body) ?? error(404, 'Not Found');
		if (answer === 'cut')
			return request.socket.destroy();
		if (answer === 'silent')
			return undefined;
		const text = JSON.stringify(answer.body);
		response.writeHead(answer.status, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text),
			...(answer.body.parameters?.retry_after && { 'Retry-After': answer.body.parameters.retry_after }) });
		return response.end(text);
	});
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	atEnd(t, () => {
		clearTimeout(waiting?.timer);
		server.close();
		server.closeAllConnections();
	});

	const self = {
		url: `http://127.0.0.1:${server.address().port}`, me, calls, updates, chats,
		of: (method) => calls.filter((call) => call.method === method),
		/** How the next call of that method ends: an answer, 'cut' or 'silent'. */
		fail: (method, answer) => faults.push({ method, answer }),
		error,
		slowDown: (seconds) => error(429, `Too Many Requests: retry after ${seconds}`, { retry_after: seconds }),
		setWebhook: (url) => { webhook = url; },
		person: (id, first_name, more = {}) => ({ id, is_bot: false, first_name, language_code: 'zh-hans', ...more }),
		direct: (person) => ({ id: person.id, type: 'private', first_name: person.first_name }),
		group: (id, title, type = 'supergroup') => ({ id, type, title }),
		say: (chat, from, text, more = {}) => push('message', message(chat, from, { text, ...more })),
		post: (chat, from, content) => push('message', message(chat, from, content)),
		tap: (from, made, data) => push('callback_query', { id: `cb-${nextCallback++}`, from, message: made,
			chat_instance: '1', data }),
		react: (from, made, before, after) => push('message_reaction', { chat: made.chat, message_id: made.message_id,
			user: from, date: made.date,
			old_reaction: before.map((emoji) => ({ type: 'emoji', emoji })),
			new_reaction: after.map((emoji) => ({ type: 'emoji', emoji })) }),
		/** A group becomes a supergroup. */
		move(id, to) {
			const { chat } = chats.get(id);
			chats.get(id).movedTo = to;
			chats.set(to, { chat: { ...chat, id: to, type: 'supergroup' }, messages: new Map() });
			return chats.get(to).chat;
		},
		block: (id) => { chats.get(id).blocked = true; },
		message: (chat, id) => chats.get(chat)?.messages.get(id),
	};
	return self;
}
