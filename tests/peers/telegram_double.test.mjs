// grammy, a Telegram bot library that is not ours, runs against our double of the Bot API: what it
// takes for Telegram, the adapter's tests may take for Telegram.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Bot, GrammyError } from 'grammy';

import { waitFor } from './lib.mjs';
import { startTelegram, token } from './telegram_double.mjs';

const kinds = ['message', 'callback_query', 'message_reaction'];

async function run(t, double, prepare) {
	const bot = new Bot(token, { client: { apiRoot: double.url } });
	prepare(bot);
	const running = bot.start({ allowed_updates: kinds, timeout: 30 });
	t.after(async () => { await bot.stop().catch(() => {}); await running.catch(() => {}); });
	await waitFor('grammy to poll', () => double.of('getUpdates').length > 0);
	return { bot, running };
}

test('messages, buttons, edits and reactions', async (t) => {
	const double = await startTelegram(t);
	const ali = double.person(11, '阿里'), group = double.group(-1001, '东区');
	const seen = [];
	await run(t, double, (bot) => {
		bot.on('message:text', async (ctx) => {
			seen.push(['text', ctx.message.text]);
			await ctx.reply('卡', { reply_parameters: { message_id: ctx.message.message_id },
				reply_markup: { inline_keyboard: [[{ text: '接单', callback_data: 'take:17' }]] } });
		});
		bot.on('callback_query:data', async (ctx) => {
			seen.push(['tap', ctx.callbackQuery.data]);
			await ctx.answerCallbackQuery();
			await ctx.editMessageText('taken');
			await ctx.editMessageText('taken').catch((e) => seen.push(['again', e.description]));
		});
		bot.reaction('👍', (ctx) => { seen.push(['reaction', ctx.messageReaction.message_id]); });
	});
	const said = double.say(group, ali, '/card now');
	const card = await waitFor('the card', () => double.message(-1001, said.message_id + 1));
	assert.equal(card.reply_to_message.message_id, said.message_id);
	double.tap(ali, card, 'take:17');
	await waitFor('the edit', () => seen.some(([what]) => what === 'again'));
	assert.equal(card.text, 'taken');
	assert.equal(card.reply_markup, undefined);
	double.react(ali, card, [], ['👍']);
	await waitFor('the reaction', () => seen.some(([what]) => what === 'reaction'));
	assert.match(seen.find(([what]) => what === 'again')[1], /message is not modified/);
	assert.deepEqual(seen.map(([what]) => what), ['text', 'tap', 'again', 'reaction']);
});

test('an offset confirms what is before it, and only that', async (t) => {
	const double = await startTelegram(t);
	const ali = double.person(11, '阿里');
	for (let i = 0; i < 5; i++)
		double.say(double.direct(ali), ali, `message ${i}`);
	const texts = [];
	await run(t, double, (bot) => bot.on('message:text', (ctx) => { texts.push(ctx.message.text); }));
	await waitFor('all five', () => texts.length === 5);
	await waitFor('them to be confirmed', () => double.updates.length === 0);
	assert.deepEqual(texts, [0, 1, 2, 3, 4].map((i) => `message ${i}`));
});

test('a second poller ends the first with 409', async (t) => {
	const double = await startTelegram(t);
	const { running } = await run(t, double, () => {});
	const ended = assert.rejects(running, (e) => e instanceof GrammyError && e.error_code === 409
		&& /terminated by other getUpdates/.test(e.description));
	await fetch(`${double.url}/bot${token}/getUpdates`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{}' });
	await ended;
});

test('a wrong token, a limit and a blocked bot are errors as grammy knows them', async (t) => {
	const double = await startTelegram(t);
	const ali = double.person(11, '阿里');
	double.say(double.direct(ali), ali, 'hi');
	const bot = new Bot(token, { client: { apiRoot: double.url } });
	double.fail('sendMessage', double.slowDown(7));
	await assert.rejects(bot.api.sendMessage(11, 'x'), (e) => e.error_code === 429 && e.parameters.retry_after === 7);
	double.block(11);
	await assert.rejects(bot.api.sendMessage(11, 'x'), (e) => e.error_code === 403);
	await assert.rejects(bot.api.sendMessage(12, 'x'), (e) => e.error_code === 400 && /chat not found/.test(e.description));
	await assert.rejects(new Bot('1:wrong', { client: { apiRoot: double.url } }).api.getMe(), (e) => e.error_code === 401);
});
