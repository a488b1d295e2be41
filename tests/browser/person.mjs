// Somebody at the simulator's page: with a mouse, or with nothing but a keyboard.
import assert from 'node:assert/strict';

import { choosePhone, pane, turnTo } from './lib.mjs';

class Mouse {
	constructor(page) {
		this.page = page;
	}

	async choose(kind, name) {
		await choosePhone(this.page, kind, name);
	}

	async speakAs(name) {
		await (await turnTo(this.page, 'group')).getByText(name, { exact: true })
			.and(this.page.locator('.speakers label span')).click({ force: true });
	}

	async write(kind, text) {
		const field = (await turnTo(this.page, kind)).locator('textarea');
		await field.click();
		await this.page.keyboard.type(text);
		await pane(this.page, kind).locator('.send').click();
	}

	/* The finger is over the button; press() lets it down. */
	async aim(label) {
		await (await turnTo(this.page, 'group')).getByRole('button', { name: label, exact: true }).hover();
	}

	async press() {
		await this.page.mouse.down();
		await this.page.mouse.up();
	}
}

class Keyboard {
	constructor(page) {
		this.page = page;
	}

	async #key(key, what, met, argument) {
		for (let i = 0; i < 150; i++) {
			if (await this.page.evaluate(met, argument))
				return;
			await this.page.keyboard.press(key);
		}
		assert.fail(`${key} never reached ${what}`);
	}

	/* The skip links come first in the page and lead into each pane. */
	async #enter(kind) {
		await this.#key('Tab', `the way to ${kind}`, (target) =>
			document.activeElement.getAttribute('href') === `#pane-${target}`, kind);
		await this.page.keyboard.press('Enter');
	}

	async choose(kind, name) {
		await this.#enter(kind);
		await this.#key('Tab', 'the phones', () =>
			document.activeElement.getAttribute('role') === 'tab');
		await this.#key('ArrowRight', name, (wanted) =>
			document.activeElement.textContent.startsWith(wanted), name);
	}

	async speakAs(name) {
		await this.#enter('group');
		await this.#key('Tab', 'the speakers', () => document.activeElement.type === 'radio');
		await this.#key('ArrowRight', name, (wanted) => {
			const chosen = document.activeElement;
			return chosen.checked && chosen.parentElement.textContent.trim() === wanted;
		}, name);
	}

	async write(kind, text) {
		await this.#enter(kind);
		await this.#key('Tab', 'the text field', () => document.activeElement.tagName === 'TEXTAREA');
		await this.page.keyboard.type(text);
		await this.page.keyboard.press('Enter');
	}

	async aim(label) {
		await this.#enter('group');
		await this.#key('Tab', 'the messages', () => document.activeElement.tagName === 'ARTICLE');
		await this.#key('ArrowUp', label, (wanted) => [...document.activeElement.querySelectorAll('.press')]
			.some((button) => button.textContent === wanted), label);
		await this.#key('Tab', label, (wanted) => document.activeElement.textContent === wanted
			&& document.activeElement.matches('.press'), label);
	}

	async press() {
		await this.page.keyboard.press('Enter');
	}
}

export function person(page, way) {
	return way === 'keyboard' ? new Keyboard(page) : new Mouse(page);
}
