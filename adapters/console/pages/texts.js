// Every sentence of the page itself, in both languages. What Linli says comes from Linli.
export const languages = ['zh-CN', 'en'];

const table = {
	'zh-CN': {
		title: '邻里 · 模拟器',
		lead: '一页之内，既当居民，也当志愿者和组织者。背后是真的邻里。',
		skips: '跳到',
		languages: '页面语言',
		switch: '手机和群',
		resident: '居民',
		group: '志愿者群',
		volunteer: '志愿者',
		organiser: '组织者',
		phones_of: '{name}：选一部手机',
		choose_group: '选一个群',
		live: '已连接',
		connecting: '正在连接…',
		away: '连接断了，正在重连…',
		new_session: '邻里重新启动过：以下是新的一段',
		sms: '短信',
		chat: '私聊',
		simulator: '模拟器',
		tab_resident: '居民',
		tab_group: '群',
		tab_volunteer: '志愿者',
		tab_organiser: '组织者',
		members: '{count} 位成员',
		log: '{name}的消息',
		speak_as: '谁来说话',
		message_as: '{name}要写的话',
		placeholder_phone: '写短信…',
		placeholder_group: '{name}说…',
		placeholder_chat: '写消息…',
		send: '发送',
		reply: '回复',
		reply_to: '回复 {name}',
		replying: '正在回复{name}：{text}',
		cancel_reply: '不再回复这一条',
		react: '点赞',
		linli: '邻里',
		edited: '已更新',
		pressed: '{name} 按了「{label}」',
		pressed_some: '{name} 按了一个按钮',
		gone_message: '较早的消息',
		go_to_quote: '去看所引用的消息',
		count: '{units}/{room} · {parts} 条',
		parts: { other: '{count} 条短信' },
		unread: { other: '{count} 条未读' },
		news: '{name}收到一条新消息',
		sending: '正在发送…',
		waiting: '还没送到，正在重试…',
		failed: '没有发出：{why}',
		remove: '移除',
		no_answer: '服务器没有接受',
		card_buttons: '这张卡片的按钮',
		empty_resident: '用自己的话写下需要什么。不用注册。',
		empty_group: '有人求助时，任务卡片会出现在这里。',
		empty_volunteer: '接下任务之后，邻里会在这里告诉你怎么做。',
		empty_organiser: '难办的事，邻里会在这里请您拿主意。',
		try_resident: '明天上午能帮我买点菜吗？我住3号楼。',
		try: '试试这一句',
	},
	en: {
		title: 'Linli · simulator',
		lead: 'Be resident, volunteer and organiser on one page. Behind it is the real Linli.',
		skips: 'Skip to',
		languages: 'Language of this page',
		switch: 'Phones and groups',
		resident: 'Residents',
		group: 'Volunteers’ group',
		volunteer: 'Volunteers',
		organiser: 'Organiser',
		phones_of: '{name}: choose a phone',
		choose_group: 'Choose a group',
		live: 'Connected',
		connecting: 'Connecting…',
		away: 'Connection lost, trying again…',
		new_session: 'Linli was started anew: a new session begins here',
		sms: 'SMS',
		chat: 'Chat',
		simulator: 'simulator',
		tab_resident: 'Residents',
		tab_group: 'Group',
		tab_volunteer: 'Volunteers',
		tab_organiser: 'Organiser',
		members: '{count} members',
		log: 'Messages of {name}',
		speak_as: 'Who speaks',
		message_as: 'Message from {name}',
		placeholder_phone: 'Text message…',
		placeholder_group: 'Write as {name}…',
		placeholder_chat: 'Message…',
		send: 'Send',
		reply: 'Reply',
		reply_to: 'Reply to {name}',
		replying: 'Replying to {name}: {text}',
		cancel_reply: 'Do not reply to this one',
		react: 'Thumbs up',
		linli: 'Linli',
		edited: 'updated',
		pressed: '{name} pressed “{label}”',
		pressed_some: '{name} pressed a button',
		gone_message: 'An earlier message',
		go_to_quote: 'Go to the quoted message',
		count: '{units}/{room} · {parts} SMS',
		parts: { one: '{count} SMS', other: '{count} SMS parts' },
		unread: { one: '{count} unread message', other: '{count} unread messages' },
		news: 'New message for {name}',
		sending: 'Sending…',
		waiting: 'Not delivered yet, trying again…',
		failed: 'Not sent: {why}',
		remove: 'Remove',
		no_answer: 'the server did not take it',
		card_buttons: 'Buttons of this card',
		empty_resident: 'Write what you need, in your own words. No signing up.',
		empty_group: 'When somebody asks for help, a card appears here.',
		empty_volunteer: 'After you take a task, Linli tells you here how it goes on.',
		empty_organiser: 'What needs a person to decide, Linli says here.',
		try_resident: 'Could somebody buy me groceries tomorrow morning? I live in building 3.',
		try: 'Try this one',
	},
};

let language = 'en';

export function choose(tag) {
	language = languages.find((known) => known.slice(0, 2) === String(tag).slice(0, 2)) ?? 'en';
	return language;
}

export function chosen() {
	return language;
}

// say("unread", {count: 2}): fills the blanks; `count` picks the plural form.
export function say(key, blanks = {}) {
	let sentence = table[language][key];
	if (sentence === undefined) throw new Error(`no text ${key}`);
	if (typeof sentence === 'object') {
		const form = new Intl.PluralRules(language).select(blanks.count);
		sentence = sentence[form] ?? sentence.other;
	}
	return sentence.replace(/\{(\w+)\}/g, (_, name) => blanks[name]);
}

export function clock(ms) {
	return new Intl.DateTimeFormat(language, { hour: '2-digit', minute: '2-digit', hour12: false })
		.format(ms);
}

// The language of a piece of text, for fonts and screen readers.
export function tongue(text) {
	return /\p{Script=Han}/u.test(text) ? 'zh-CN' : 'en';
}
