// A neighbour asks, two volunteers grab it in the same moment, one wins, it is done and confirmed:
// on the real daemon, in both languages, on a desk and on a phone, by mouse and by keyboard.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { daemonMissing, startDaemon } from './daemon.mjs';
import { browserMissing, fits, noFaults, openPage, pane, startBrowser } from './lib.mjs';
import { person } from './person.mjs';

const skip = browserMissing() ?? daemonMissing();

const talks = {
	'zh-CN': {
		resident: '王奶奶', group: '志愿者互助群', address: 'zh',
		asks: '明天上午能帮我买点菜吗？我住3号楼。', place: '2单元501，紫藤门', secret: '紫藤',
		claim: '我来接', done: '完成',
	},
	en: {
		resident: 'Mr Brown', group: 'Helpers', address: 'en',
		asks: 'Could somebody buy me groceries tomorrow morning? I live in building 3.',
		place: 'entrance 2, wisteria door 501', secret: 'wisteria', claim: 'I take it', done: 'done',
	},
};

/* Waits for one more message of the bot on the phone that is shown; gives its text. */
async function answer(page, kind, before) {
	const notes = pane(page, kind).locator('.note.bot .text');
	await notes.nth(before).waitFor({ state: 'attached' });
	return (await notes.allTextContents()).at(-1);
}

async function ask(page, somebody, talk) {
	await somebody.choose('resident', talk.resident);
	await somebody.write('resident', talk.asks);
	await answer(page, 'resident', 0);
	await somebody.write('resident', talk.place);
	assert.match(await answer(page, 'resident', 1), /501[^]*1/);
	await somebody.write('resident', '1');
	const [code] = (await answer(page, 'resident', 2)).match(/\d{4,}/);
	return code;
}

/* Holds what the pages send until each has sent something, then lets all of it go at once. */
async function atOnce(pages) {
	let waiting = pages.length;
	let open;
	const gate = new Promise((resolve) => { open = resolve; });
	for (const page of pages)
		await page.route('**/send', async (route) => {
			if (--waiting === 0)
				open();
			await gate;
			await route.continue();
		}, { times: 1 });
}

for (const language of ['zh-CN', 'en'])
	for (const size of ['desk', 'phone'])
		for (const way of ['mouse', 'keyboard'])
			test(`asked, taken by one of two, done, confirmed: ${language}, ${size}, ${way}`, { skip },
				async (t) => {
					const talk = talks[language];
					const daemon = await startDaemon(t);
					const browser = await startBrowser(t);
					const page = await openPage(t, browser, daemon.url, { language, size });
					const other = await openPage(t, browser, daemon.url, { language, size });
					const [me, she] = [person(page, way), person(other, way)];

					const code = await ask(page, me, talk);
					for (const [one, its, name] of [[me, page, '李明'], [she, other, 'Sarah']]) {
						await one.choose('group', talk.group);
						await one.speakAs(name);
						await pane(its, 'group').getByRole('button', { name: talk.claim }).waitFor();
					}
					await fits(page);
					await atOnce([page, other]);
					await Promise.all([me.aim(talk.claim), she.aim(talk.claim)]);
					await Promise.all([me.press(), she.press()]);

					/* One has it, with the place; the card says so in place; the other is told. */
					const taken = pane(page, 'group').locator('.note.bot', { hasText: code }).first();
					await page.waitForFunction(() =>
						document.querySelectorAll('#pane-group .press').length === 0);
					const late = pane(page, 'group').locator('.note.bot').nth(1);
					await late.waitFor({ state: 'attached' });
					const winner = (await taken.textContent()).includes('Sarah') ? 'Sarah' : '李明';
					assert.ok((await late.textContent()).includes(winner), 'the late one is told who');
					await me.choose('volunteer', winner);
					assert.match(await answer(page, 'volunteer', 0), /501/);
					const loser = winner === 'Sarah' ? '李明' : 'Sarah';
					await she.choose('volunteer', loser);
					assert.equal(await pane(other, 'volunteer').locator('.note').count(), 0);

					await me.choose('volunteer', winner);
					await me.write('volunteer', talk.done);
					await me.choose('resident', talk.resident);
					assert.match(await answer(page, 'resident', 4), new RegExp(code));
					await me.write('resident', '1');
					await answer(page, 'resident', 5);
					await me.choose('group', talk.group);
					await fits(page);

					/* The place was shown to nobody but the two. */
					const notes = await daemon.notes();
					assert.deepEqual(notes.filter(({ group, text }) => group && text.includes('501')), []);
					const seen = notes.filter(({ phone, text }) => phone && text.includes('501'))
						.map(({ phone }) => phone);
					assert.equal(new Set(seen).size, 2);
					noFaults(page);
					noFaults(other);
					await page.close();
					await other.close();
					await daemon.stop();
					for (const secret of [talk.secret, '王奶奶', 'Brown', '13800000', '13900000', talk.asks])
						assert.ok(!daemon.log.includes(secret), `the log holds ${secret}`);
				});

test('the daemon restarts: typed meanwhile arrives, old cards still work', { skip }, async (t) => {
	const talk = talks.en;
	const daemon = await startDaemon(t);
	const browser = await startBrowser(t);
	const page = await openPage(t, browser, daemon.url, { language: 'en', outages: true });
	const me = person(page, 'mouse');
	const code = await ask(page, me, talk);
	await me.choose('group', talk.group);
	await pane(page, 'group').getByRole('button', { name: talk.claim }).waitFor();

	await daemon.stop();
	await page.locator('.live.down').waitFor();
	await me.write('resident', 'status');
	await pane(page, 'resident').getByText('Not delivered yet, trying again…').waitFor();
	await daemon.start();
	await page.locator('.live.up').waitFor();
	await pane(page, 'resident').locator('.divider').waitFor();
	await pane(page, 'resident').locator('.note.bot', { hasText: code }).nth(1).waitFor();
	const once = pane(page, 'resident').locator('.note.mine', { hasText: 'status' });
	assert.equal(await once.count(), 1);

	await me.speakAs('Sarah');
	await me.aim(talk.claim);
	await me.press();
	await page.waitForFunction(() => document.querySelectorAll('#pane-group .press').length === 0);
	assert.match(await pane(page, 'group').locator('.note.bot').first().textContent(), /Sarah/);
	noFaults(page);
	await page.close();
	await daemon.stop();
});
