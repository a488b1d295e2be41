// The Telegram adapter against telegram-test-api, an emulator that nobody here wrote. It is coarse
// (answers a long poll at once, keeps no offset): what it can tell is that a stranger's idea of the
// Bot API is enough for us, and that we do not spin on it.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import test from 'node:test';

import { startChannel } from './channel.mjs';
import { freePort, waitFor } from './lib.mjs';

const TelegramServer = createRequire(import.meta.url)('telegram-test-api');

test('a person, a button and an answer on the emulator', async (t) => {
	const port = await freePort(), token = '123:emulated';
	const server = new TelegramServer({ port, host: '127.0.0.1', storeTimeout: 3600 });
	await server.start();
	t.after(() => server.stop());
	const person = server.getClient(token, { userId: 11, chatId: 11, firstName: 'Ali' });
	const channel = startChannel(t, 'telegram', { url: `http://127.0.0.1:${port}`, token, poll: '2s' });

	await person.sendMessage(person.makeMessage('买药'));
	const heard = await channel.untilText('买药');
	assert.equal(heard.sender, '11');
	assert.equal((await channel.send({ to: '11', text: '收到', buttons: [{ label: '好', data: 'yes:1' }] })).outcome, 'sent');
	const got = await waitFor('the answer', async () => (await person.getUpdates()).result[0]);
	assert.equal(got.message.text, '收到');
	assert.equal(got.message.reply_markup.inline_keyboard[0][0].callback_data, 'yes:1');
	await person.sendCallback(person.makeCallbackQuery('yes:1', { message: { message_id: got.messageId } }));
	const tap = await channel.until('the tap', (e) => e.kind === 'button');
	assert.equal(tap.button, 'yes:1');
	assert.equal(await channel.close(), 0);
});
