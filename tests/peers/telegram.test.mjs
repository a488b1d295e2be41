// The Telegram adapter against our double of the Bot API (which grammy vouches for).
import assert from 'node:assert/strict';
import test from 'node:test';

import { startChannel } from './channel.mjs';
import { waitFor } from './lib.mjs';
import { startTelegram, token } from './telegram_double.mjs';

const settings = (double, more = {}) => ({ url: double.url, token, poll: '30s', ...more });

async function setUp(t, more) {
	const double = await startTelegram(t);
	const ali = double.person(4000000011, '阿里'), group = double.group(-1001234567890, '东区');
	const channel = startChannel(t, 'telegram', settings(double, more));
	await waitFor('the first poll', () => double.of('getUpdates').length > 0);
	return { double, ali, group, channel };
}

test('hears a group and a person, with the bot\'s own address taken off', async (t) => {
	const { double, ali, group, channel } = await setUp(t);
	const asked = double.of('getUpdates')[0].body;
	assert.deepEqual(asked.allowed_updates, ['message', 'callback_query', 'message_reaction', 'my_chat_member']);
	assert.equal(asked.timeout, 30);
	double.say(group, ali, '😀 @linli_test_bot 接单 17', { entities: [{ type: 'mention', offset: 3, length: 15 }] });
	const heard = await channel.until('the message', (e) => e.kind === 'text');
	assert.equal(heard.text, '😀  接单 17');
	assert.equal(heard.sender, '4000000011');
	assert.equal(heard.group, '-1001234567890');
	assert.equal(heard.name, '阿里');
	assert.equal(heard.language, 'zh-hans');
	double.say(group, ali, '/help@linli_test_bot 17', { entities: [{ type: 'bot_command', offset: 0, length: 20 }] });
	await channel.untilText('/help 17');
	double.say(group, ali, '/help@another_bot', { entities: [{ type: 'bot_command', offset: 0, length: 17 }] });
	double.say(group, { id: 1087968824, is_bot: true, first_name: 'Group' }, 'anonymous', { sender_chat: group });
	double.say(double.direct(ali), ali, '买药');
	const direct = await channel.untilText('买药');
	assert.equal(direct.group, undefined);
	assert.equal(direct.sender, '4000000011');
	double.post(group, ali, { photo: [{ file_id: 'small' }, { file_id: 'large' }], caption: '门口' });
	assert.equal((await channel.untilText('门口')).media, 'large');
	double.post(double.direct(ali), ali, { location: { latitude: 31.23, longitude: 121.47 } });
	assert.equal((await channel.until('the place', (e) => e.latitude)).latitude, 31.23);
	assert.equal(channel.texts().length, 5);
	assert.equal(await channel.close(), 0);
});

test('posts a card with buttons, is quoted, tapped and reacted to, edits it', async (t) => {
	const { double, ali, group, channel } = await setUp(t);
	double.say(group, ali, 'hello');
	const heard = await channel.untilText('hello');
	const outcome = await channel.send({ to: heard.group, group: true, text: '任务 17', about: heard.id,
		buttons: [{ label: '接单', data: 'take:17' }, { label: '详情', data: 'more:17' }] });
	assert.equal(outcome.outcome, 'sent');
	const card = double.message(group.id, 2);
	assert.equal(card.text, '任务 17');
	assert.equal(card.reply_to_message.message_id, 1);
	assert.deepEqual(card.reply_markup.inline_keyboard.flat().map((b) => b.callback_data), ['take:17', 'more:17']);

	double.tap(ali, card, 'take:17');
	const tap = await channel.until('the tap', (e) => e.kind === 'button');
	assert.equal(tap.button, 'take:17');
	assert.equal(tap.about, outcome.message_id);
	assert.equal(tap.group, heard.group);
	await waitFor('the tap to be answered', () => double.of('answerCallbackQuery').length === 1);
	double.say(group, ali, '我来', { reply_to_message: card });
	assert.equal((await channel.untilText('我来')).about, outcome.message_id);
	double.react(ali, card, ['❤'], ['❤', '👍']);
	const reaction = await channel.until('the reaction', (e) => e.kind === 'reaction');
	assert.equal(reaction.text, '👍');
	assert.equal(reaction.about, outcome.message_id);

	const edit = { to: heard.group, group: true, text: '任务 17：满', edit: outcome.message_id };
	const edited = await channel.send(edit);
	assert.equal(edited.outcome, 'sent');
	assert.equal(edited.message_id, outcome.message_id);
	assert.equal(card.text, '任务 17：满');
	assert.equal(card.reply_markup, undefined);
	assert.equal((await channel.send(edit)).outcome, 'sent', 'not modified is as good as sent');
	assert.equal(await channel.close(), 0);
});

test('confirms only what the house has', async (t) => {
	const { double, ali, channel } = await setUp(t);
	channel.tell({ do: 'accept', as: 'later' });
	double.say(double.direct(ali), ali, 'one');
	await channel.until('it to be offered twice', () => channel.events.filter((e) => e.event === 'put off').length >= 2);
	assert.equal(double.updates.length, 1);
	assert.equal(double.of('getUpdates').length, 1, 'no poll while something waits');
	// The process dies before it could take it: Telegram still has it.
	await channel.program.stop('SIGKILL');
	const again = startChannel(t, 'telegram', settings(double));
	await again.untilText('one');
	await waitFor('it to be confirmed', () => double.updates.length === 0);
	assert.equal(await again.close(), 0);
});

test('what becomes of a send: limits, refusals, silence', async (t) => {
	const { double, ali, group, channel } = await setUp(t);
	const to = String(ali.id);
	double.say(double.direct(ali), ali, 'hi');
	double.say(group, ali, 'hi all');
	await channel.untilText('hi all');
	const send = (text = 'x') => channel.send({ to, text });

	double.fail('sendMessage', double.slowDown(7));
	const slow = await send();
	assert.deepEqual([slow.outcome, slow.retry_ms], ['retry', 7000]);
	double.fail('sendMessage', double.error(500, 'Internal Server Error'));
	assert.equal((await send()).outcome, 'uncertain');
	double.fail('sendMessage', 'cut');
	assert.equal((await send()).outcome, 'uncertain');
	double.fail('editMessageText', 'cut');
	assert.equal((await channel.send({ to, text: 'y', edit: '1.00000000' })).outcome, 'retry', 'an edit may be repeated');
	assert.deepEqual([(await channel.send({ to: '99', text: 'x' })).refusal, (await channel.send({ to: 'ali', text: 'x' })).refusal],
		['unreachable', 'unreachable']);
	const blank = await send('');
	assert.deepEqual([blank.outcome, blank.refusal], ['refused', 'text']);
	assert.equal((await send('😀'.repeat(4096))).outcome, 'sent');
	assert.ok(double.of('sendMessage').at(-1).body.text.length <= 4096);
	assert.ok(double.of('sendMessage').at(-1).body.text.length > 4090);
	double.block(ali.id);
	assert.equal((await send()).refusal, 'blocked');
	for (const event of channel.events)
		assert.ok(!JSON.stringify(event).includes(token));
	assert.ok(!channel.program.err.includes(token));
	assert.equal(await channel.close(), 0);
});

test('a group that moved is found again, and called what it was called', async (t) => {
	const { double, ali, channel } = await setUp(t);
	const old = double.group(-42, '西区', 'group');
	double.say(old, ali, 'in the old group');
	await channel.untilText('in the old group');
	const moved = double.move(-42, -100777);
	const outcome = await channel.send({ to: '-42', group: true, text: 'hello there' });
	assert.equal(outcome.outcome, 'sent');
	assert.equal(double.of('sendMessage').at(-1).body.chat_id, -100777);
	assert.match(channel.program.err, /write -100777 instead of -42/);
	double.say(moved, ali, 'in the new group');
	assert.equal((await channel.untilText('in the new group')).group, '-42');
	assert.equal(await channel.close(), 0);
});

test('a second poller stops it, and is told to the operator', async (t) => {
	const { double, channel } = await setUp(t, { rest: '1h' });
	await fetch(`${double.url}/bot${token}/getUpdates`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{}' });
	const dead = await channel.untilHealth('dead');
	assert.match(dead.why, /another program polls/);
	const polls = double.of('getUpdates').length;
	// Sends still work, and take long enough to see that nothing polls.
	for (let i = 0; i < 20; i++)
		await channel.send({ to: '1', text: 'x' });
	assert.equal(double.of('getUpdates').length, polls);
	assert.equal(await channel.close(), 0);
});

test('a webhook and a wrong token are told to the operator', async (t) => {
	const double = await startTelegram(t);
	double.setWebhook('https://bot.example/hook');
	const channel = startChannel(t, 'telegram', settings(double));
	assert.match((await channel.untilHealth('dead')).why, /webhook.*deleteWebhook/);
	assert.equal(await channel.close(), 0);
	const wrong = startChannel(t, 'telegram', settings(double, { token: '1:wrong' }));
	assert.match((await wrong.untilHealth('dead')).why, /token/);
	assert.equal(await wrong.close(), 0);
});

test('errors and slowness of a poll are ridden out', async (t) => {
	const { double, ali, channel } = await setUp(t);
	double.fail('getUpdates', double.error(502, 'Bad Gateway'));
	double.fail('getUpdates', 'cut');
	double.fail('getUpdates', double.slowDown(1));
	double.say(double.direct(ali), ali, 'one');
	await channel.untilText('one');
	await channel.untilHealth('retrying');
	double.say(double.direct(ali), ali, 'two');
	await channel.untilText('two');
	assert.equal(await channel.close(), 0);
});
