import { createToken, Lexer, type TokenType } from "chevrotain";

/*
 * The vocabulary of the grammar. The tokens carry no patterns: what a token is depends on the state of
 * Ollama's reader, not on its text alone (a quote closes a value only where it ends a line), so
 * lexer.ts makes them; Chevrotain's own lexer would cost twice the start-up time for the same result.
 */
function token(name: string, label: string, categories: TokenType[] = []): TokenType {
  return createToken({ name, label, pattern: Lexer.NA, categories });
}

/** Blanks and line ends between statements. */
export const Gap = token("Gap", "blanks, line ends");
export const Comment = token("Comment", "# …");
/** What stands before a keyword and cannot be seen. Ollama ignores one such character. */
export const Invisible = token("Invisible", "invisible character");

/** Keywords that are followed by a value at once. */
export const ValueKeyword = token("ValueKeyword", "keyword");
export const From = token("From", "FROM", [ValueKeyword]);
export const License = token("License", "LICENSE", [ValueKeyword]);
export const Template = token("Template", "TEMPLATE", [ValueKeyword]);
export const System = token("System", "SYSTEM", [ValueKeyword]);
export const Adapter = token("Adapter", "ADAPTER", [ValueKeyword]);
export const Draft = token("Draft", "DRAFT", [ValueKeyword]);
export const Renderer = token("Renderer", "RENDERER", [ValueKeyword]);
export const Parser = token("Parser", "PARSER", [ValueKeyword]);
export const Requires = token("Requires", "REQUIRES", [ValueKeyword]);
export const Parameter = token("Parameter", "PARAMETER");
export const Message = token("Message", "MESSAGE");

/** The one space or tab that Ollama reads after a keyword, a name or a role. */
export const Separator = token("Separator", "blank");
export const Name = token("Name", "name");
export const Role = token("Role", "role");

/** Blanks around a value, and characters there that Ollama drops. */
export const Margin = token("Margin", "blanks");
export const BareText = token("BareText", "text to the line end");
export const OpenQuote = token("OpenQuote", '" or """');
export const QuotedText = token("QuotedText", "text");
export const CloseQuote = token("CloseQuote", '" or """ at a line end');

/*
 * From here on: what Ollama refuses. Each has its place in the grammar, so that the rest of the file
 * is read all the same.
 */
/** A keyword, name or role and what belongs to it, written together: SYSTEM"hi". No characters. */
export const NoSeparator = token("NoSeparator", "nothing");
/** `=`, `:` or an invisible character where a blank belongs. */
export const WrongSeparator = token("WrongSeparator", "= or :");
export const BadName = token("BadName", "anything but a name");
export const BadRole = token("BadRole", "anything but a role");
/** Blanks before a role: Ollama then reads an empty role. */
export const ExtraBlank = token("ExtraBlank", "blanks");
/** Text behind a closing quote of a value that Ollama never finds the end of. */
export const AfterQuote = token("AfterQuote", "text behind the quote");
/** A word that stands and looks like an instruction. */
export const UnknownKeyword = token("UnknownKeyword", "unknown keyword");
/** A line that belongs to no instruction. */
export const StrayText = token("StrayText", "text");

export const vocabulary: TokenType[] = [
  Gap,
  Comment,
  Invisible,
  ValueKeyword,
  From,
  License,
  Template,
  System,
  Adapter,
  Draft,
  Renderer,
  Parser,
  Requires,
  Parameter,
  Message,
  Separator,
  Name,
  Role,
  Margin,
  BareText,
  OpenQuote,
  QuotedText,
  CloseQuote,
  NoSeparator,
  WrongSeparator,
  BadName,
  BadRole,
  ExtraBlank,
  AfterQuote,
  UnknownKeyword,
  StrayText,
];

/** Keywords by their upper-case text. */
export const keywords: ReadonlyMap<string, TokenType> = new Map(
  [
    From,
    License,
    Template,
    System,
    Adapter,
    Draft,
    Renderer,
    Parser,
    Requires,
    Parameter,
    Message,
  ].map((type) => [type.LABEL!, type]),
);
