import { instructions } from "../facts/instructions.js";
import { parameters } from "../facts/parameters.js";

/* How editors without a language client's colours paint a Modelfile: those of any release's words. */

const keywords = instructions.map(({ name }) => name);
const parameterNames = parameters.map(({ name }) => name);
const roles = ["system", "user", "assistant"];

const plainKeywords = keywords.filter((name) => name !== "PARAMETER" && name !== "MESSAGE");

/** editors/vim/runtime/syntax/modelfile.vim, for Vim and Neovim. */
export function vimSyntax(): string {
  return String.raw`" Generated from src/facts by src/build/generate.ts.
if exists('b:current_syntax')
  finish
endif

syntax case ignore
syntax sync fromstart
syntax match modelfileComment /^\s*#.*/ contains=@Spell
syntax match modelfileInstruction /^\s*\%(${plainKeywords.join(String.raw`\|`)}\)\>/ nextgroup=modelfileText skipwhite
syntax match modelfileInstruction /^\s*PARAMETER\>/ nextgroup=modelfileParameter skipwhite
syntax match modelfileInstruction /^\s*MESSAGE\>/ nextgroup=modelfileRole skipwhite
syntax match modelfileRole contained /\<\%(${roles.join(String.raw`\|`)}\)\>/ nextgroup=modelfileText skipwhite
syntax region modelfileText contained start=/"""/ end=/"""/ contains=modelfileAction,@Spell
syntax match modelfileAction contained /{{.\{-}}}/
syntax match modelfileNumber contained /[-+]\?\%(\d\+\.\?\d*\|\.\d\+\)\>/
syntax keyword modelfileBoolean contained true false
syntax case match
syntax keyword modelfileParameter contained nextgroup=modelfileNumber,modelfileBoolean,modelfileText skipwhite
${wrapped(parameterNames, 90, String.raw`\ `)}

highlight default link modelfileComment Comment
highlight default link modelfileInstruction Keyword
highlight default link modelfileParameter Identifier
highlight default link modelfileRole Constant
highlight default link modelfileText String
highlight default link modelfileAction PreProc
highlight default link modelfileNumber Number
highlight default link modelfileBoolean Boolean

let b:current_syntax = 'modelfile'
`;
}

/** editors/kate/modelfile.xml, for Kate and what else uses KSyntaxHighlighting. */
export function kateSyntax(): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE language>
<!-- Generated from src/facts by src/build/generate.ts. -->
<language name="Modelfile" version="1" kateversion="5.79" section="Configuration" license="MIT" extensions="Modelfile;modelfile;Modelfile.*;Modelfile-*;*.modelfile;*.Modelfile">
  <highlighting>
${kateList("parameters", parameterNames)}
${kateList("roles", roles)}
    <contexts>
      <context name="File" attribute="Normal Text" lineEndContext="#stay">
        <RegExpr attribute="Comment" context="#stay" String="#.*$" firstNonSpace="true"/>
        ${kateKeyword(["PARAMETER"], "Parameter")}
        ${kateKeyword(["MESSAGE"], "Message")}
        ${kateKeyword(plainKeywords, "Value")}
      </context>
      <context name="Parameter" attribute="Normal Text" lineEndContext="#pop">
        <DetectSpaces/>
        <keyword attribute="Parameter" context="#pop!Value" String="parameters"/>
        <RegExpr attribute="Normal Text" context="#pop!Value" String="\\S+"/>
      </context>
      <context name="Message" attribute="Normal Text" lineEndContext="#pop">
        <DetectSpaces/>
        <keyword attribute="Role" context="#pop!Value" String="roles"/>
        <RegExpr attribute="Normal Text" context="#pop!Value" String="\\S+"/>
      </context>
      <context name="Value" attribute="Value" lineEndContext="#pop">
        <DetectSpaces/>
        <StringDetect attribute="Text" context="#pop!Text" String="&quot;&quot;&quot;"/>
        <RegExpr attribute="Value" context="#pop!Rest" String="\\S"/>
      </context>
      <context name="Rest" attribute="Value" lineEndContext="#pop"/>
      <context name="Text" attribute="Text" lineEndContext="#stay">
        <RegExpr attribute="Action" context="#stay" String="\\{\\{.*?\\}\\}"/>
        <StringDetect attribute="Text" context="#pop" String="&quot;&quot;&quot;"/>
      </context>
    </contexts>
    <itemDatas>
      <itemData name="Normal Text" defStyleNum="dsNormal"/>
      <itemData name="Comment" defStyleNum="dsComment"/>
      <itemData name="Instruction" defStyleNum="dsKeyword"/>
      <itemData name="Parameter" defStyleNum="dsVariable"/>
      <itemData name="Role" defStyleNum="dsConstant"/>
      <itemData name="Value" defStyleNum="dsNormal"/>
      <itemData name="Text" defStyleNum="dsString"/>
      <itemData name="Action" defStyleNum="dsPreprocessor"/>
    </itemDatas>
  </highlighting>
  <general>
    <keywords casesensitive="1"/>
    <comments><comment name="singleLine" start="#" position="afterwhitespace"/></comments>
  </general>
</language>
`;
}

function kateKeyword(names: readonly string[], context: string): string {
  return `<RegExpr attribute="Instruction" context="${context}" String="(?:${names.join("|")})\\b" insensitive="true" firstNonSpace="true"/>`;
}

function kateList(name: string, words: readonly string[]): string {
  const items = words.map((word) => `      <item>${word}</item>`);
  return [`    <list name="${name}">`, ...items, "    </list>"].join("\n");
}

/** editors/emacs/modelfile-mode.el with the words of today. */
export function withWords(mode: string): string {
  const words = emacsList("instructions", keywords) + emacsList("parameters", parameterNames);
  return mode.replace(
    /(;; generated: words\n)[^]*?(;; end of generated words\n)/,
    (_, open: string, close: string) => open + words + close,
  );
}

function emacsList(name: string, words: readonly string[]): string {
  const quoted = words.map((word) => `"${word}"`);
  return `(defconst modelfile-mode--${name}\n  '(${wrapped(quoted, 80, "    ").trimStart()}))\n`;
}

/** Words in lines of at most `width` characters, each behind `indent`. */
function wrapped(words: readonly string[], width: number, indent: string): string {
  const lines: string[] = [];
  for (const word of words) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) {
      lines[lines.length - 1] = `${last} ${word}`;
    } else lines.push(indent + word);
  }
  return lines.join("\n");
}
