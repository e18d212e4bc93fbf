" Generated from src/facts by src/build/generate.ts.
if exists('b:current_syntax')
  finish
endif

syntax case ignore
syntax sync fromstart
syntax match modelfileComment /^\s*#.*/ contains=@Spell
syntax match modelfileInstruction /^\s*\%(FROM\|LICENSE\|TEMPLATE\|SYSTEM\|ADAPTER\|DRAFT\|RENDERER\|PARSER\|REQUIRES\|EMBED\|PROMPT\)\>/ nextgroup=modelfileText skipwhite
syntax match modelfileInstruction /^\s*PARAMETER\>/ nextgroup=modelfileParameter skipwhite
syntax match modelfileInstruction /^\s*MESSAGE\>/ nextgroup=modelfileRole skipwhite
syntax match modelfileRole contained /\<\%(system\|user\|assistant\)\>/ nextgroup=modelfileText skipwhite
syntax region modelfileText contained start=/"""/ end=/"""/ contains=modelfileAction,@Spell
syntax match modelfileAction contained /{{.\{-}}}/
syntax match modelfileNumber contained /[-+]\?\%(\d\+\.\?\d*\|\.\d\+\)\>/
syntax keyword modelfileBoolean contained true false
syntax case match
syntax keyword modelfileParameter contained nextgroup=modelfileNumber,modelfileBoolean,modelfileText skipwhite
\ num_ctx num_batch num_gpu main_gpu use_mmap num_thread draft_num_predict num_keep seed
\ num_predict temperature top_k top_p min_p typical_p repeat_last_n repeat_penalty
\ presence_penalty frequency_penalty stop mirostat mirostat_tau mirostat_eta
\ penalize_newline tfs_z low_vram f16_kv logits_all vocab_only use_mlock numa
\ embedding_only num_gqa rope_frequency_base rope_frequency_scale

highlight default link modelfileComment Comment
highlight default link modelfileInstruction Keyword
highlight default link modelfileParameter Identifier
highlight default link modelfileRole Constant
highlight default link modelfileText String
highlight default link modelfileAction PreProc
highlight default link modelfileNumber Number
highlight default link modelfileBoolean Boolean

let b:current_syntax = 'modelfile'
