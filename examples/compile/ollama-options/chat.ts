import ollama from "ollama";

const model = "llama3.2:3b";

const messages = [
  {
    role: "system",
    content: "You are a ship's cook.\n" +
      "Answer in \"pirate\".",
  },
  {
    role: "user",
    content: "Hungry?",
  },
  {
    role: "assistant",
    content: "Arr.",
  },
  {
    role: "user",
    content: "Hello",
  },
];

const options = {
  num_ctx: 262144,
  temperature: 0.2,
  stop: [
    "###",
  ],
};

const response = await ollama.chat({ model, messages, options });
console.log(response.message.content);
