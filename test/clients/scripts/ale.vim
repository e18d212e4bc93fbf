" Run by ale.client.ts in a Vim that is set up as docs/editors.md says.
let s:cases = json_decode($MODELFILE_LINT_CASES)
let s:seen = {'cases': {}}

function! s:Wait(what, condition) abort
  let l:waited = 0
  while !a:condition()
    if l:waited >= 15000
      throw 'waited in vain for ' . a:what
    endif
    sleep 50m
    let l:waited += 50
  endwhile
endfunction

function! s:Open(name) abort
  execute 'edit' fnameescape(a:name . '/Modelfile')
  if &filetype isnot# 'modelfile'
    throw 'the type of the file is ' . &filetype
  endif
endfunction

function! s:Found() abort
  return ale#engine#GetLoclist(bufnr(''))
endfunction

function! s:Codes() abort
  return sort(map(copy(s:Found()), {_, one -> get(one, 'code', '')}))
endfunction

" ALE asks which action to take; the first one.
runtime autoload/ale/util.vim
function! ale#util#Input(message, value, ...) abort
  return '1'
endfunction

function! s:Mend(rule) abort
  let l:one = filter(copy(s:Found()), {_, one -> get(one, 'code', '') is# a:rule})[0]
  call cursor(l:one.lnum, l:one.col)
  let l:before = b:changedtick
  ALECodeAction
  call s:Wait('the fix of ' . a:rule, {-> b:changedtick > l:before})
  write
endfunction

" The text of the preview window that :ALEHover opens.
function! s:Hover() abort
  let l:windows = winnr('$')
  ALEHover
  call s:Wait('the hover', {-> winnr('$') > l:windows})
  wincmd P
  let l:text = join(getline(1, '$'), "\n")
  pclose
  return l:text
endfunction

" What omni completion offers behind the text. Its function waits for keys, which nobody types here, and ALE
" shows nothing outside of insert mode.
function! s:Complete(text) abort
  function! ale#util#Mode(...) abort
    return 'i'
  endfunction
  set virtualedit=onemore
  call append('$', a:text)
  call cursor(line('$'), len(a:text) + 1)
  call ale#completion#GetCompletions('ale-omnifunc')
  call s:Wait('completion', {-> ale#completion#GetCompletionResult() isnot v:null})
  return map(ale#completion#GetCompletionResult(), {_, item -> trim(item.word)})
endfunction

function! s:Run() abort
  for [l:name, l:case] in items(s:cases)
    call s:Open(l:name)
    call s:Wait('diagnostics of ' . l:name, {-> s:Codes() == l:case.rules})
    let l:messages = map(copy(s:Found()), {_, one -> one.text})
    let s:seen.cases[l:name] = {'codes': s:Codes(), 'messages': l:messages}
    if has_key(l:case, 'mend')
      call s:Mend(l:case.mend)
    endif
  endfor
  call s:Open('many-cards')
  let l:painted = map([[1, 1], [2, 1], [2, 11]], {_, at -> synIDattr(synID(at[0], at[1], 1), 'name')})
  if l:painted != ['modelfileInstruction', 'modelfileInstruction', 'modelfileParameter']
    throw 'painted as ' . string(l:painted)
  endif
  call cursor(1, 8)
  let s:seen.hover = s:Hover()
  call append('$', ['parameter temperature    0.5', '', '', ''])
  let l:before = b:changedtick
  ALEFix
  call s:Wait('the layout', {-> b:changedtick > l:before})
  write
  let s:seen.completion = s:Complete('PARAMETER num_')
endfunction

try
  call s:Run()
catch
  verbose echo v:exception 'at' v:throwpoint
  cquit
endtry
call writefile([json_encode(s:seen)], $MODELFILE_LINT_SEEN)
qall!
